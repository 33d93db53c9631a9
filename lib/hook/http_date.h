// The date of an HTTP header.
#pragma once

#include <optional>
#include <string_view>

#include "belay/types.h"

namespace belay::hook {

// Reads a whole text of the form "Sun, 06 Nov 1994 08:49:37 GMT", the only one that servers may
// send today. Nothing for any other text, and for a day that does not exist.
std::optional<TimePoint> parse_http_date(std::string_view text);

}  // namespace belay::hook
