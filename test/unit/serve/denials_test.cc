// What is counted and logged of requests that are denied.
#include <doctest/doctest.h>

#include <string>

#include "serve/denials.h"

using namespace std::chrono_literals;

namespace belay::tool {

TEST_SUITE("serve/denials") {
  TEST_CASE("many denials make one line in a while, with the number of those left out") {
    Denials denials;
    const Denials::Clock::time_point start{};
    CHECK(denials.add(Denial::no_token, start) == 0);
    for (int i = 0; i < 1'000; ++i) CHECK_FALSE(denials.add(Denial::unknown_token, start + 4s));
    CHECK(denials.add(Denial::small_role, start + Denials::kLineEvery) == 1'000);
    CHECK_FALSE(denials.add(Denial::small_role, start + Denials::kLineEvery + 1s));
    CHECK(denials.add(Denial::small_role, start + 1h) == 1);
    CHECK(denials.add(Denial::small_role, start + 2h) == 0);
  }

  TEST_CASE("each reason is counted, with the status of its answer") {
    Denials denials;
    for (int i = 0; i < 3; ++i) denials.add(Denial::other_host, {});
    denials.add(Denial::no_token, {});
    std::string seen;
    for (const auto& figure : denials.figures()) {
      seen += std::to_string(figure.status) + " " + figure.reason + " " +
              std::to_string(figure.count) + "\n";
    }
    CHECK(seen ==
          "401 no_token 1\n401 unknown_token 0\n403 small_role 0\n403 other_host 3\n"
          "403 web_page 0\n");
  }
}

}  // namespace belay::tool
