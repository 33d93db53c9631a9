#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "engine/due_heap.h"

namespace belay::test {

TEST_SUITE("engine/due_heap") {
  TEST_CASE("whatever is armed, moved and disarmed, the earliest is on top") {
    std::mt19937_64 random(42);
    std::vector<std::unique_ptr<engine::Live>> lives;
    for (int i = 0; i < 200; ++i) lives.push_back(std::make_unique<engine::Live>());
    engine::DueHeap heap;
    std::map<engine::Live*, std::uint64_t> model;
    for (int step = 0; step < 20'000; ++step) {
      auto* live = lives[random() % lives.size()].get();
      const auto at = random() % 50;  // 0 disarms; equal times are common
      heap.set(*live, at);
      if (at == 0) {
        model.erase(live);
      } else {
        model[live] = at;
      }
      REQUIRE(heap.empty() == model.empty());
      if (model.empty()) continue;
      const auto least =
          std::min_element(model.begin(), model.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
      REQUIRE(heap.top_at() == least->second);
      REQUIRE(model.at(&heap.top()) == least->second);
    }
  }
}

}  // namespace belay::test
