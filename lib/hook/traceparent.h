// W3C's traceparent: "00-TRACE-SPAN-FLAGS". A call is a new span of the transaction's trace.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belay::hook {

bool is_traceparent(std::string_view text);

// Appends the header's value for a call. `parent` must be one; `span` must not be 0.
void append_traceparent(std::string& out, std::string_view parent, std::uint64_t span);

}  // namespace belay::hook
