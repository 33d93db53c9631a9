#include "core/retry.h"

#include <doctest/doctest.h>

#include <limits>

namespace belay::core {
namespace {

constexpr std::uint64_t kLowest = 0;
constexpr std::uint64_t kMiddle = 1ull << 63;
constexpr std::uint64_t kHighest = std::numeric_limits<std::uint64_t>::max();

}  // namespace

TEST_SUITE("core/retry") {
  TEST_CASE("without jitter the interval doubles until the cap") {
    const Retry retry{.first_interval = Millis{100},
                      .multiplier = 2.0,
                      .interval_max = Millis{1000},
                      .jitter = 0.0};
    const std::uint64_t expected[] = {100, 200, 400, 800, 1000, 1000};
    for (std::uint32_t n = 1; n <= 6; ++n) {
      for (const auto random : {kLowest, kMiddle, kHighest})
        CHECK(retry_interval_ms(retry, n, random) == expected[n - 1]);
    }
    CHECK(retry_interval_ms(retry, 0, kMiddle) == 100);
  }

  TEST_CASE("jitter draws from 1-jitter to 1+jitter of the interval, also of a capped one") {
    const Retry retry{.first_interval = Millis{1000},
                      .multiplier = 2.0,
                      .interval_max = Millis{4000},
                      .jitter = 0.25};
    CHECK(retry_interval_ms(retry, 1, kLowest) == 750);
    CHECK(retry_interval_ms(retry, 1, kMiddle) == 1000);
    CHECK(retry_interval_ms(retry, 1, kHighest) == 1250);
    CHECK(retry_interval_ms(retry, 30, kLowest) == 3000);
    CHECK(retry_interval_ms(retry, 30, kHighest) == 5000);
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < 64; ++i) {
      const auto drawn = retry_interval_ms(retry, 1, i << 58);
      CHECK(drawn >= 750);
      CHECK(drawn < 1250);
      CHECK(drawn > last);
      last = drawn;
    }
  }

  TEST_CASE("an interval is at least one millisecond, or a retry would be due before its failure") {
    const Retry retry{
        .first_interval = Millis{1}, .multiplier = 1.0, .interval_max = Millis{1}, .jitter = 1.0};
    CHECK(retry_interval_ms(retry, 1, kLowest) == 1);
  }

  TEST_CASE("patience is the time of the calls that are left, and of the intervals between them") {
    const Retry retry{
        .first_interval = Millis{100}, .multiplier = 2.0, .interval_max = Millis{300}, .jitter = 1};
    CHECK(patience_ms(retry, Millis{10}, 0, 1) == 10);
    CHECK(patience_ms(retry, Millis{10}, 0, 2) == 10 + 100 + 10);
    CHECK(patience_ms(retry, Millis{10}, 0, 4) == 40 + 100 + 200 + 300);
    CHECK(patience_ms(retry, Millis{10}, 2, 4) == 20 + 300);
    CHECK(patience_ms(retry, Millis{10}, 3, 4) == 10);
    CHECK(patience_ms(retry, Millis{10}, 4, 4) == 0);
    CHECK(patience_ms(retry, Millis{10}, 9, 4) == 0);
    CHECK(patience_ms(retry, Millis{0}, 0, 2'002) == 100 + 200 + 1'999 * 300);
    const Retry slow{.first_interval = Millis{365LL * 24 * 3600 * 1000},
                     .interval_max = Millis{365LL * 24 * 3600 * 1000}};
    CHECK(patience_ms(slow, Millis{1}, 0, std::numeric_limits<std::uint32_t>::max()) ==
          1'000'000'000'000'000);
  }

  TEST_CASE("no number of attempts overflows: the cap holds") {
    const Retry retry{.first_interval = Millis{365LL * 24 * 3600 * 1000},
                      .multiplier = 100.0,
                      .interval_max = Millis{365LL * 24 * 3600 * 1000},
                      .jitter = 1.0};
    for (const std::uint32_t n : {1u, 100u, 1'000'000u, 0xffffffffu}) {
      CHECK(retry_interval_ms(retry, n, kHighest) <= 2ull * 365 * 24 * 3600 * 1000);
      CHECK(retry_interval_ms(retry, n, kMiddle) == 365ull * 24 * 3600 * 1000);
    }
  }
}

}  // namespace belay::core
