#include "hook/traceparent.h"

#include <algorithm>

namespace belay::hook {
namespace {

constexpr std::size_t kTraceAt = 3;
constexpr std::size_t kTraceDigits = 32;
constexpr std::size_t kSpanAt = 36;
constexpr std::size_t kSpanDigits = 16;
constexpr std::size_t kFlagsAt = 53;
constexpr std::size_t kSize = 55;  // of version 00; later ones may go on after a "-"

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

}  // namespace

bool is_traceparent(std::string_view text) {
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const auto version = text.substr(0, 2);
  const auto trace = text.substr(kTraceAt, kTraceDigits);
  const auto span = text.substr(kSpanAt, kSpanDigits);
  if (!is_hex(version) || !is_hex(trace) || !is_hex(span) || !is_hex(text.substr(kFlagsAt, 2)))
    return false;
  if (version == "ff" || is_zero(trace) || is_zero(span)) return false;
  return text.size() == kSize || (version != "00" && text[kSize] == '-');
}

void append_traceparent(std::string& out, std::string_view parent, std::uint64_t span) {
  out += "00-";
  out += parent.substr(kTraceAt, kTraceDigits);
  out += '-';
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(span >> shift) & 15];
  out += '-';
  out += parent.substr(kFlagsAt, 2);
}

}  // namespace belay::hook
