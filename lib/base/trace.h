// W3C Trace Context: the part of a traceparent that the tools and the log show.
#pragma once

#include <cstddef>
#include <string_view>

namespace belay::base {

inline bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

inline bool is_hex_id(std::string_view text) {
  return is_lower_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

// The id of the trace, 32 digits; empty if the text is no traceparent. A future version may append
// fields to today's format, "VERSION-TRACE-PARENT-FLAGS".
inline std::string_view trace_id_of(std::string_view trace_parent) {
  constexpr std::size_t kSize = 55;
  if (trace_parent.size() < kSize) return {};
  const auto version = trace_parent.substr(0, 2);
  const auto trace = trace_parent.substr(3, 32);
  const bool dashes = trace_parent[2] == '-' && trace_parent[35] == '-' && trace_parent[52] == '-';
  const bool ends = trace_parent.size() == kSize || (version != "00" && trace_parent[kSize] == '-');
  const bool digits = is_lower_hex(version) && version != "ff" && is_hex_id(trace) &&
                      is_hex_id(trace_parent.substr(36, 16)) &&
                      is_lower_hex(trace_parent.substr(53, 2));
  return dashes && ends && digits ? trace : std::string_view();
}

}  // namespace belay::base
