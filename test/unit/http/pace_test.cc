#include "serve/http/pace.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

namespace belay::http {

TEST_SUITE("http pace") {
  TEST_CASE("rounds for nothing take a twentieth of the time, after a burst") {
    Pace pace;
    const auto begin = Pace::Clock::now();
    auto now = begin;
    const auto after_round = [&](Pace::Clock::duration round) {
      now += round;
      return pace.pause(now - round, now);
    };
    Pace::Clock::duration burst{};
    while (after_round(100us) == 0ms) burst += 100us;
    CHECK(burst > 50ms);  // a twentieth of a second, and of what passed meanwhile
    CHECK(burst < 54ms);

    Pace::Clock::duration used{};
    const auto spent = now;
    while (now - spent < 10s) {
      now += after_round(300us);
      used += 300us;
    }
    CHECK(used > 400ms);
    CHECK(used <= 510ms);

    CHECK(after_round(10s) == Pace::kPauseMax);  // and no debt beyond it
    now += Pace::kPauseMax + 1s + Pace::kBurst;
    CHECK(after_round(1ms) == 0ms);
  }
}

}  // namespace belay::http
