// When a call is repeated.
#pragma once

#include <cstdint>

#include "belay/options.h"

namespace belay::core {

// The pause after the `unanswered`-th (1, 2, …) call in a row without an answer: first_interval *
// multiplier^(n-1), capped at interval_max, then multiplied by a factor from [1-jitter, 1+jitter]
// that `random` selects. At least 1 ms.
std::uint64_t retry_interval_ms(const Retry& retry, std::uint32_t unanswered, std::uint64_t random);

}  // namespace belay::core
