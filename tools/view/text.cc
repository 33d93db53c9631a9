#include "view/text.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "base/hex.h"
#include "base/spans.h"
#include "base/utf8.h"

namespace belay::tool {
namespace {

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
constexpr std::array<Range, 12> kDisturbing = {{{0x00, 0x1f},
                                                {0x7f, 0x9f},
                                                {0xad, 0xad},
                                                {0x61c, 0x61c},
                                                {0x180e, 0x180e},
                                                {0x200b, 0x200f},
                                                {0x2028, 0x202e},
                                                {0x2060, 0x2069},
                                                {0x3164, 0x3164},
                                                {0xfeff, 0xfeff},
                                                {0xfff9, 0xfffb},
                                                {0xe0000, 0xe007f}}};
// Deliberately approximate: enough to keep columns aligned with East Asian scripts and emoji.
constexpr std::array<Range, 7> kWide = {{{0x1100, 0x115f},
                                         {0x2e80, 0xa4cf},
                                         {0xac00, 0xd7a3},
                                         {0xf900, 0xfaff},
                                         {0xfe30, 0xfe6f},
                                         {0xff00, 0xff60},
                                         {0x1f300, 0x1faff}}};
constexpr std::array<Range, 3> kCombining = {{{0x300, 0x36f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}}};

struct TimeUnit {
  std::string_view name;
  Millis span;
};
constexpr std::array<TimeUnit, 5> kTimeUnits = {{{"d", base::kDay},
                                                 {"h", base::kHour},
                                                 {"m", base::kMinute},
                                                 {"s", base::kSecond},
                                                 {"ms", Millis{1}}}};

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
    const auto point = base::first_code_point(text.substr(at));
    if (point.bytes == 0) {
      result += "\\x";
      base::append_hex(result, static_cast<std::uint8_t>(text[at++]));
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
    const auto point = base::first_code_point(text.substr(at));
    at += point.bytes == 0 ? 1 : point.bytes;
    if (point.value >= 0x300 && in(kCombining, point.value)) continue;
    width += point.value >= 0x1100 && in(kWide, point.value) ? 2 : 1;
  }
  return width;
}

std::string fitted(const std::string& text, std::size_t columns) {
  if (display_width(text) <= columns) return text;
  std::string result;
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t next = at + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0u) == 0x80u) ++next;
    const auto piece = text.substr(at, next - at);
    width += display_width(piece);
    if (width + 1 > columns) break;
    result += piece;
    at = next;
  }
  return result + "…";
}

std::string wrapped(const std::string& text, std::size_t columns, std::size_t indent) {
  std::string result;
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(' ', at), text.size());
    const auto word = text.substr(at, end - at);
    const auto cells = display_width(word);
    const bool breaks = at != 0 && width + 1 + cells > columns;
    if (breaks) {
      result += '\n' + std::string(indent, ' ');
      width = indent;
    } else if (at != 0) {
      result += ' ';
      ++width;
    }
    result += word;
    width += cells;
    at = end + 1;
  }
  return result;
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
  Millis::rep number = 0;
  std::size_t digits = 0;
  while (digits < text.size() && base::is_digit(text[digits])) {
    if (++digits > 10) return std::nullopt;
    number = number * 10 + (text[digits - 1] - '0');
  }
  if (digits == 0) return std::nullopt;
  for (const auto& unit : kTimeUnits) {
    if (text.substr(digits) != unit.name) continue;
    // A hundred years. With a longer span, times before the epoch would have to be handled.
    constexpr Millis kLongest = 36'525 * base::kDay;
    const auto total = number * unit.span;
    return total <= kLongest ? std::optional(total) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return std::nullopt;
}

std::string duration_text(Millis span) {
  for (const auto& unit : kTimeUnits) {
    if (span >= unit.span && span % unit.span == Millis{0})
      return fmt::format("{}{}", span / unit.span, unit.name);
  }
  return "0s";
}

std::string json_text(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace belay::tool
