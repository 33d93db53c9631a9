// When to ask again.
#pragma once

#include <cstdint>

#include "belay/options.h"

namespace belay::core {

// The wait after the `unanswered`-th (1, 2, …) call in a row without an answer: first_interval *
// multiplier^(n-1), capped, then drawn from [1-jitter, 1+jitter] of it by `random`. At least 1 ms.
std::uint64_t retry_interval_ms(const Retry& retry, std::uint32_t unanswered, std::uint64_t random);

}  // namespace belay::core
