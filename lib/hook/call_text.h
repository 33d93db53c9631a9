// The texts that a call is made of, whatever the protocol.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/trace.h"
#include "belay/call.h"

namespace belay::hook {

inline constexpr std::size_t kHeadersMax = 256;
inline constexpr std::string_view kAttempt = "Belay-Attempt";
inline constexpr std::string_view kFence = "Belay-Fence";

// Headers that belong to the connection or to belay. If a caller gives such a header, it is left
// out.
inline bool is_own_header(std::string_view name) {
  constexpr std::array<std::string_view, 15> kOwnHeaders = {
      "accept-encoding",   "connection", "content-length",   "expect",      "host",
      "http2-settings",    "keep-alive", "proxy-connection", "te",          "trailer",
      "transfer-encoding", "upgrade",    "belay-attempt",    "belay-fence", "proxy-authorization",
  };
  return std::any_of(kOwnHeaders.begin(), kOwnHeaders.end(),
                     [&](auto own) { return base::equal_ignoring_case(own, name); });
}

// The operation in dtm's terms: a back-check is "msg", a workflow is called by its name.
inline std::string_view op_word(const Call& call) {
  if (!call.workflow.empty()) return call.workflow;
  return call.op == Op::query ? "msg" : name_of(call.op);
}

inline bool is_in(std::span<const Header> headers, std::string_view name) {
  return std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
    return base::equal_ignoring_case(header.name, name);
  });
}

// The call's traceparent, "00-TRACE-SPAN-FLAGS" with a span of its own (not 0); empty if none was
// submitted.
inline std::string trace_parent_of(const Call& call, std::uint64_t span) {
  constexpr std::size_t kFlagsAt = 53;  // the place of the flags in a traceparent
  const auto trace = base::trace_id_of(call.trace_parent);
  if (trace.empty()) return {};
  std::string out = "00-";
  out.append(trace).append("-");
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[(span >> shift) & 15];
  return out.append("-").append(call.trace_parent.substr(kFlagsAt, 2));
}

class Decimal {
 public:
  explicit Decimal(std::uint64_t number)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
  std::string_view view() const {
    return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())};
  }

 private:
  std::array<char, 20> digits_;
  char* end_;
};

}  // namespace belay::hook
