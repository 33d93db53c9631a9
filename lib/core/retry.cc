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

std::uint64_t patience_ms(const Retry& retry, Millis timeout, std::uint32_t unanswered,
                          std::uint32_t calls) {
  constexpr std::uint32_t kCounted = 1'000;  // beyond it the last interval stands for the others
  constexpr double kMost = 1e15;             // ms, and more than any clock shows
  if (unanswered >= calls) return 0;
  auto even = retry;
  even.jitter = 0;
  const auto left = calls - unanswered;
  double sum = static_cast<double>(left) * static_cast<double>(timeout.count());
  double interval = 0;
  for (std::uint32_t i = 1; i < left && i <= kCounted; ++i) {
    interval = static_cast<double>(retry_interval_ms(even, unanswered + i, 0));
    sum += interval;
  }
  if (left - 1 > kCounted) sum += static_cast<double>(left - 1 - kCounted) * interval;
  return static_cast<std::uint64_t>(std::min(sum, kMost));
}

}  // namespace belay::core
