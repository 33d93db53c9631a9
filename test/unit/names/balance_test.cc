#include "names/balance.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

namespace belay::test {
namespace {

using names::Balancer;
using names::Condition;

Endpoint at(std::string host, std::uint32_t weight = 1, std::uint32_t priority = 0) {
  return {.host = std::move(host), .port = 1, .weight = weight, .priority = priority};
}

struct Crowd {
  Balancer balancer;
  std::map<std::string, Condition> conditions;

  std::string pick(Balance how = Balance::in_turn) {
    const auto* taken =
        balancer.pick(how, [this](const Endpoint& endpoint) { return conditions[endpoint.host]; });
    return taken == nullptr ? "none" : taken->host;
  }
  std::string picks(int count, Balance how = Balance::in_turn) {
    std::string all;
    for (int i = 0; i < count; ++i) all += pick(how);
    return all;
  }
};

}  // namespace

TEST_SUITE("names/balance") {
  TEST_CASE("endpoints take turns, whatever order they were listed in") {
    Crowd crowd;
    CHECK(crowd.pick() == "none");
    crowd.balancer.set({at("b"), at("c"), at("a"), at("b")});
    CHECK(crowd.balancer.endpoints().size() == 3);
    CHECK(crowd.picks(7) == "abcabca");
  }

  TEST_CASE("a weight is a share, and shares are spread") {
    Crowd crowd;
    crowd.balancer.set({at("a", 4), at("b", 1), at("c", 1)});
    CHECK(crowd.picks(12) == "aabacaaabaca");
  }

  TEST_CASE("who stays keeps its turn when the list changes") {
    Crowd crowd;
    crowd.balancer.set({at("a"), at("b"), at("c")});
    CHECK(crowd.picks(2) == "ab");
    crowd.balancer.set({at("a"), at("b"), at("c"), at("d")});
    const auto next = crowd.picks(4);
    CHECK(next.front() == 'c');
    std::string sorted = next;
    std::sort(sorted.begin(), sorted.end());
    CHECK(sorted == "abcd");
  }

  TEST_CASE(
      "an ejected endpoint is left out, and of all ejected ones the first to be probed taken") {
    Crowd crowd;
    crowd.balancer.set({at("a"), at("b"), at("c")});
    crowd.conditions["b"] = {.ejected = true, .probe_at = 5};
    CHECK(crowd.picks(4) == "acac");
    crowd.conditions["a"] = {.ejected = true, .probe_at = 9};
    crowd.conditions["c"] = {.ejected = true, .probe_at = 5};
    CHECK(crowd.picks(2) == "bb");
    crowd.conditions["b"] = {.ejected = true, .probe_at = ~std::uint64_t{0}};
    crowd.conditions["a"] = crowd.conditions["c"] = crowd.conditions["b"];
    CHECK(crowd.pick() == "a");
  }

  TEST_CASE("a higher priority number is called only if all lower ones are ejected") {
    Crowd crowd;
    crowd.balancer.set({at("a", 1, 2), at("b", 1, 1), at("c", 1, 1)});
    CHECK(crowd.picks(4) == "bcbc");
    crowd.conditions["b"] = {.ejected = true, .probe_at = 1};
    CHECK(crowd.picks(2) == "cc");
    crowd.conditions["c"] = {.ejected = true, .probe_at = 1};
    CHECK(crowd.picks(2) == "aa");
  }

  TEST_CASE("the fewest calls in flight for its weight wins, and equals take turns") {
    Crowd crowd;
    crowd.balancer.set({at("a"), at("b"), at("c", 4)});
    crowd.conditions["a"] = {.in_flight = 2};
    crowd.conditions["b"] = {.in_flight = 1};
    crowd.conditions["c"] = {.in_flight = 3};
    CHECK(crowd.pick(Balance::least_in_flight) == "c");
    crowd.conditions["c"] = {.in_flight = 4};
    const auto taken = crowd.picks(10, Balance::least_in_flight);
    CHECK(std::count(taken.begin(), taken.end(), 'b') == 2);
    CHECK(std::count(taken.begin(), taken.end(), 'c') == 8);
  }
}

}  // namespace belay::test
