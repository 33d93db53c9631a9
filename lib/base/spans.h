// Spans of time that have a name in everyday language.
#pragma once

#include "belay/types.h"

namespace belay::base {

inline constexpr Millis kSecond{1'000};
inline constexpr Millis kMinute = 60 * kSecond;
inline constexpr Millis kHour = 60 * kMinute;
inline constexpr Millis kDay = 24 * kHour;
inline constexpr Millis kYear = 365 * kDay;

}  // namespace belay::base
