// Points in time in dtm's format.
#pragma once

#include <string>

#include "belay/types.h"

namespace belay::protocol {

// RFC 3339 in UTC: "2026-01-03T10:00:00.123+00:00".
std::string to_rfc3339(TimePoint at);

}  // namespace belay::protocol
