// The part of output.h that makes text: escapes, widths, times, sizes.
#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <limits>

#include "output.h"

namespace belay::tool {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0: the text is not UTF-8 here
};

unsigned byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
}

// Strict: no overlong forms, no surrogates, nothing beyond U+10FFFF.
CodePoint code_point_at(std::string_view text, std::size_t at) {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return {static_cast<char32_t>(first), 1};
  const std::size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return {};
  char32_t value = first & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    const unsigned next = byte_at(text, at + i);
    if ((next & 0xc0u) != 0x80u) return {};
    value = value << 6 | (next & 0x3fu);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest.at(bytes) || value > 0x10ffff) return {};
  if (value >= 0xd800 && value <= 0xdfff) return {};
  return {value, bytes};
}

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, char32_t value) {
  for (const auto& range : ranges) {
    if (value >= range.first && value <= range.last) return true;
  }
  return false;
}

// Control characters, line separators, and marks that reorder or hide text.
constexpr std::array<Range, 7> kDisturbing = {{{0x00, 0x1f},
                                               {0x7f, 0x9f},
                                               {0x200b, 0x200f},
                                               {0x2028, 0x202e},
                                               {0x2060, 0x2069},
                                               {0xfeff, 0xfeff},
                                               {0xfff9, 0xfffb}}};
// Deliberately approximate: enough to keep columns aligned with East Asian scripts and emoji.
constexpr std::array<Range, 7> kWide = {{{0x1100, 0x115f},
                                         {0x2e80, 0xa4cf},
                                         {0xac00, 0xd7a3},
                                         {0xf900, 0xfaff},
                                         {0xfe30, 0xfe6f},
                                         {0xff00, 0xff60},
                                         {0x1f300, 0x1faff}}};
constexpr std::array<Range, 3> kCombining = {{{0x300, 0x36f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}}};

std::string escaped(char32_t value) {
  switch (value) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  const auto number = static_cast<std::uint32_t>(value);
  return number < 0x80 ? fmt::format("\\x{:02x}", number) : fmt::format("\\u{:04x}", number);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto point = code_point_at(text, at);
    if (point.bytes == 0) {
      result += fmt::format("\\x{:02x}", byte_at(text, at++));
      continue;
    }
    if (in(kDisturbing, point.value))
      result += escaped(point.value);
    else
      result += text.substr(at, point.bytes);
    at += point.bytes;
  }
  return result;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto point = code_point_at(text, at);
    at += point.bytes == 0 ? 1 : point.bytes;
    if (point.value >= 0x300 && in(kCombining, point.value)) continue;
    width += point.value >= 0x1100 && in(kWide, point.value) ? 2 : 1;
  }
  return width;
}

TimePoint now() { return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()); }

std::string absolute(TimePoint at) {
  const auto since_epoch = at.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto whole = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  if (::localtime_r(&whole, &parts) == nullptr) return std::to_string(since_epoch.count()) + " ms";
  std::array<char, 64> date{};
  std::array<char, 16> zone{};
  if (std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S", &parts) == 0) return {};
  if (std::strftime(zone.data(), zone.size(), "%z", &parts) == 0) return {};
  return fmt::format("{}.{:03} {}", date.data(), (since_epoch - seconds).count(), zone.data());
}

std::string duration(Millis span) {
  const auto ms = span.count() < 0 ? 0 : span.count();
  const auto seconds = ms / 1000;
  if (ms < 1000) return fmt::format("{}ms", ms);
  if (seconds < 60) return fmt::format("{}.{}s", seconds, ms % 1000 / 100);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{}d{:02}h", seconds / 86'400, seconds / 3600 % 24);
}

std::string ago(TimePoint at, TimePoint now) { return duration(now - at) + " ago"; }

std::string due(TimePoint at, TimePoint now) {
  // A running engine makes each call a moment late; only a longer delay is shown.
  constexpr Millis kPatience{1000};
  if (at > now) return "in " + duration(at - now);
  if (now - at <= kPatience) return "now";
  return duration(now - at) + " overdue";
}

std::string bytes(std::uint64_t count) {
  if (count < 1024) return fmt::format("{} B", count);
  constexpr std::array<const char*, 4> kUnits = {"KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(count) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits.at(unit));
}

std::string count(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::optional<Millis> parse_duration(std::string_view text) {
  std::uint64_t number = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (++digits > 10) return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(text[digits - 1] - '0');
  }
  if (digits == 0) return std::nullopt;
  struct Unit {
    std::string_view name;
    std::uint64_t ms;
  };
  constexpr std::array<Unit, 5> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
  for (const auto& unit : kUnits) {
    if (text.substr(digits) != unit.name) continue;
    // A hundred years: with more, times before the epoch would become possible.
    constexpr std::uint64_t kLongest = 36'525ull * 86'400'000;
    const auto total = number * unit.ms;
    return total <= kLongest ? std::optional(Millis(static_cast<Millis::rep>(total)))
                             : std::nullopt;
  }
  return std::nullopt;
}

Style style_of(Status status) {
  switch (status) {
    case Status::succeed: return Style::good;
    case Status::failed: return Style::dim;
    case Status::aborting: return Style::warn;
    case Status::prepared:
    case Status::submitted: return Style::plain;
  }
  return Style::plain;
}

}  // namespace belay::tool
