// When a call is repeated.
#pragma once

#include <cstdint>

#include "belay/options.h"

namespace belay::core {

// The pause after the `unanswered`-th (1, 2, …) call in a row without an answer: first_interval *
// multiplier^(n-1), capped at interval_max, then multiplied by a factor from [1-jitter, 1+jitter]
// that `random` selects. At least 1 ms.
std::uint64_t retry_interval_ms(const Retry& retry, std::uint32_t unanswered, std::uint64_t random);

// How long it takes until `calls` calls in a row have no answer, if `unanswered` of them have none
// already and the next one is made now: the timeouts of the calls, and the intervals between them
// without jitter.
std::uint64_t patience_ms(const Retry& retry, Millis timeout, std::uint32_t unanswered,
                          std::uint32_t calls);

}  // namespace belay::core
