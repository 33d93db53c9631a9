#include "core/retry.h"

#include <algorithm>
#include <cmath>

namespace belay::core {

std::uint64_t retry_interval_ms(const Retry& retry, std::uint32_t unanswered,
                                std::uint64_t random) {
  const auto cap = static_cast<double>(retry.interval_max.count());
  const auto exponent = static_cast<double>(unanswered > 0 ? unanswered - 1 : 0);
  // pow may overflow to infinity; the cap handles that.
  const auto grown =
      static_cast<double>(retry.first_interval.count()) * std::pow(retry.multiplier, exponent);
  const auto interval = std::min(grown, cap);
  const auto unit = static_cast<double>(random >> 11) * 0x1.0p-53;  // [0, 1)
  const auto drawn = interval * (1.0 + retry.jitter * (2.0 * unit - 1.0));
  return static_cast<std::uint64_t>(std::max(1.0, drawn));
}

}  // namespace belay::core
