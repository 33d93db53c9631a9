#include "engine/gid_table.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>

#include "belay/saga.h"
#include "core/definition.h"
#include "support/encode.h"

namespace belay::test {
namespace {

std::unique_ptr<engine::Live> live_with(const std::string& gid) {
  auto live = std::make_unique<engine::Live>();
  live->transaction.definition =
      *core::Definition::parse(*encode(Saga(gid).step("a", ""), gid, {}));
  return live;
}

std::map<const engine::Live*, int> visits_of(const engine::GidTable& table) {
  std::map<const engine::Live*, int> visits;
  table.for_each([&](const engine::Live& live) { ++visits[&live]; });
  return visits;
}

// Two gids that the table tells apart by their text only.
std::pair<std::string, std::string> gids_of_one_hash() {
  std::unordered_map<std::uint32_t, std::string> seen;
  for (int i = 0;; ++i) {
    auto gid = "g" + std::to_string(i);
    const auto hash = static_cast<std::uint32_t>(std::hash<std::string_view>()(gid));
    const auto [place, is_new] = seen.emplace(hash, gid);
    if (!is_new) return {place->second, gid};
  }
}

}  // namespace

TEST_SUITE("engine/gid_table") {
  TEST_CASE("whatever comes and goes, those inside are found and no others") {
    std::mt19937_64 random(42);
    engine::GidTable table;
    std::map<std::string, std::unique_ptr<engine::Live>> model;
    CHECK(table.find("g0") == nullptr);
    for (int step = 0; step < 20'000; ++step) {
      const auto gid = "g" + std::to_string(random() % 1'000);
      const auto inside = model.find(gid);
      REQUIRE(table.find(gid) == (inside == model.end() ? nullptr : inside->second.get()));
      if (inside == model.end()) {
        table.insert(*model.emplace(gid, live_with(gid)).first->second);
      } else {
        table.erase(*inside->second);
        model.erase(inside);
      }
      REQUIRE(table.size() == model.size());
    }
    REQUIRE(model.size() > 256);  // it has grown more than once
    for (const auto& [gid, live] : model) CHECK(table.find(gid) == live.get());
    const auto visits = visits_of(table);
    CHECK(visits.size() == model.size());
    for (const auto& [gid, live] : model) CHECK(visits.at(live.get()) == 1);
  }

  TEST_CASE("two gids of one hash are told apart") {
    const auto [one, other] = gids_of_one_hash();
    const auto first = live_with(one), second = live_with(other);
    engine::GidTable table;
    table.insert(*first);
    CHECK(table.find(other) == nullptr);
    table.insert(*second);
    CHECK(table.find(one) == first.get());
    CHECK(table.find(other) == second.get());
    table.erase(*first);
    CHECK(table.find(one) == nullptr);
    CHECK(table.find(other) == second.get());
  }

  TEST_CASE("a visit may delete what it is shown, as the owner does at the end") {
    engine::GidTable table;
    for (int i = 0; i < 300; ++i) table.insert(*live_with("g" + std::to_string(i)).release());
    int deleted = 0;
    table.for_each([&](engine::Live& live) {
      delete &live;
      ++deleted;
    });
    CHECK(deleted == 300);
  }
}

}  // namespace belay::test
