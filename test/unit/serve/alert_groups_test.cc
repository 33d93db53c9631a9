// Which alerts are posted of what is stuck, and when.
#include "serve/alert_groups.h"

#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "serve/alerts.h"

using namespace std::chrono_literals;

namespace belay::tool {
namespace {

using Time = AlertGroups::Time;

constexpr Time kBegin{1h};
constexpr const char* kHost = "http://stock.example";

struct World {
  explicit World(const AlertLimits& limits = {}) : groups(limits) {}

  void stuck(const std::string& gid, const std::string& target, const std::string& error,
             const std::string& branch = "01", bool called = true) {
    woken = groups.stuck({.gid = gid,
                          .status = Status::submitted,
                          .branch_id = branch,
                          .op = Op::action,
                          .target = target,
                          .error = error,
                          .attempts = 3,
                          .reason = {},
                          .called = called},
                         now);
  }
  void held_back(const std::string& gid) {
    stuck(gid, kHost, "the circuit breaker is open", "01", false);
  }
  void unstuck(const std::string& gid, const std::string& branch = "") {
    woken = groups.unstuck({.gid = gid, .status = Status::succeed, .branch_id = branch}, now);
  }
  // What is due now; the webhook takes it.
  std::optional<Alert> take() {
    auto alert = groups.take(now);
    if (alert) groups.sent(*alert, now);
    return alert;
  }
  std::optional<Alert> take_after(Millis time) {
    now += time;
    return take();
  }

  Time now = kBegin;
  bool woken = false;  // by the last notice
  AlertGroups groups;
};

}  // namespace

TEST_SUITE("serve/alert_groups") {
  TEST_CASE("a thousand behind one host are one alert with their count, and then one resolved") {
    World world;
    for (int i = 0; i < 1'000; ++i)
      world.stuck("g" + std::to_string(i), std::string(kHost) + "/take?order=" + std::to_string(i),
                  "HTTP 502: order " + std::to_string(10'000 + i));
    CHECK_FALSE(world.take());
    CHECK(world.groups.next_at(world.now) == kBegin + 5s);
    CHECK_FALSE(world.take_after(4'999ms));
    const auto alert = world.take_after(1ms);
    REQUIRE(alert);
    CHECK(alert->count == 1'000);
    CHECK(alert->state == AlertState::firing);
    CHECK(alert->place == kHost);
    CHECK(alert->cause == "HTTP 502: order …");
    CHECK(alert->gid == "g999");
    CHECK(alert->branch_id == "01");
    CHECK_FALSE(world.take());
    CHECK_FALSE(world.groups.next_at(world.now));  // nothing until the next notice
    for (int i = 0; i < 1'000; ++i) world.unstuck("g" + std::to_string(i));
    CHECK_FALSE(world.take());
    const auto resolved = world.take_after(5s);
    REQUIRE(resolved);
    CHECK(resolved->state == AlertState::resolved);
    CHECK(resolved->count == 0);
    CHECK(resolved->group == alert->group);
    CHECK(resolved->status == Status::succeed);
    CHECK_FALSE(world.take_after(1h));
    CHECK(world.groups.groups() == 0);
    CHECK(world.groups.branches() == 0);
  }

  TEST_CASE("who waits for the next alert is woken by the notice that may bring it nearer") {
    World world;
    world.stuck("g1", kHost, "down");
    CHECK(world.woken);
    world.stuck("g2", kHost, "down");
    CHECK_FALSE(world.woken);
    REQUIRE(world.take_after(5s));
    world.stuck("g2", kHost, "down");
    CHECK(world.woken);
    world.unstuck("g1");
    CHECK_FALSE(world.woken);
    world.unstuck("g2");
    CHECK(world.woken);
    world.unstuck("g2");
    CHECK_FALSE(world.woken);
  }

  TEST_CASE("a group is told again after the interval, with its new count, if it was noticed") {
    World world;
    world.stuck("g1", kHost, "down");
    REQUIRE(world.take_after(5s));
    world.stuck("g2", kHost, "down");
    CHECK_FALSE(world.take_after(599'999ms));
    const auto again = world.take_after(1ms);
    REQUIRE(again);
    CHECK(again->count == 2);
    CHECK_FALSE(world.take_after(1h));
    world.stuck("g2", kHost, "down");  // the same, called once more
    REQUIRE(world.take());
  }

  TEST_CASE("host, operation and error make a cause") {
    World world;
    world.stuck("g1", kHost, "down");
    world.stuck("g2", "http://bank.example/a", "down");
    world.stuck("g3", kHost, "HTTP 500");
    world.groups.stuck({.gid = "g4",
                        .status = Status::aborting,
                        .branch_id = "01",
                        .op = Op::compensate,
                        .target = kHost,
                        .error = "down",
                        .attempts = 3,
                        .reason = {}},
                       world.now);
    world.stuck("g5", "handler", "no handler named 'handler' is registered", "01", false);
    CHECK(world.groups.groups() == 5);
  }

  TEST_CASE("a transaction counts once in a group, though several of its branches wait") {
    World world;
    world.stuck("g", kHost, "down", "01");
    world.stuck("g", kHost, "down", "02");
    world.stuck("g", "http://bank.example", "down", "03");
    const auto first = world.take_after(5s);
    const auto second = world.take();
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->count == 1);
    CHECK(second->count == 1);
    world.unstuck("g", "01");
    CHECK_FALSE(world.take_after(5s));
    world.unstuck("g", "02");  // the transaction is still stuck, but not there
    const auto resolved = world.take_after(5s);
    REQUIRE(resolved);
    CHECK(resolved->place == kHost);
    CHECK_FALSE(world.take_after(5s));
    world.unstuck("g");
    CHECK(world.take_after(5s).has_value());
  }

  TEST_CASE("who gets another error goes to its group") {
    World world;
    world.stuck("g", kHost, "down");
    REQUIRE(world.take_after(5s));
    world.stuck("g", kHost, "HTTP 500");
    const auto first = world.take_after(5s);
    const auto second = world.take();
    REQUIRE(first);
    REQUIRE(second);
    CHECK(first->state != second->state);
    CHECK((first->state == AlertState::resolved ? first : second)->cause == "down");
  }

  TEST_CASE("a host whose breaker is open is the same cause as its errors") {
    World world;
    SUBCASE("the error is known first") {
      world.stuck("g1", kHost, "down");
      world.held_back("g2");
    }
    SUBCASE("the breaker is known first") {
      world.held_back("g2");
      world.stuck("g1", kHost, "down");
      world.held_back("g2");
    }
    const auto alert = world.take_after(5s);
    REQUIRE(alert);
    CHECK(alert->count == 2);
    CHECK(alert->cause == "down");
    CHECK(world.groups.groups() == 1);
  }

  TEST_CASE("an end within the wait is told to nobody; a short recovery is none") {
    World world;
    world.stuck("g", kHost, "down");
    world.now += 4s;
    world.unstuck("g");
    CHECK_FALSE(world.take_after(1h));
    world.stuck("g", kHost, "down");
    REQUIRE(world.take_after(5s));
    world.unstuck("g");
    CHECK_FALSE(world.take_after(4s));
    world.stuck("g", kHost, "down");
    CHECK_FALSE(world.take_after(4s));
  }

  TEST_CASE("a cause that comes and goes is told no more often than one that lasts") {
    World world;
    int firing = 0;
    for (int i = 0; i < 3'600; ++i) {
      i % 20 < 10 ? world.stuck("g", kHost, "down") : world.unstuck("g");
      if (const auto alert = world.take_after(1s))
        firing += alert->state == AlertState::firing ? 1 : 0;
    }
    CHECK(firing >= 2);
    CHECK(firing <= 6);
  }

  TEST_CASE("beyond the minute's number alerts wait, and the last one says how many") {
    World world({.per_minute_max = 3});
    for (int i = 0; i < 10; ++i)
      world.stuck("g", "handler" + std::to_string(i), "down", std::to_string(i));
    world.now += 5s;
    CHECK(world.take()->left_out == 0);
    CHECK(world.take()->left_out == 0);
    CHECK(world.take()->left_out == 7);
    CHECK_FALSE(world.take());
    CHECK(world.groups.next_at(world.now) == world.now + 1min);
    CHECK(world.take_after(1min)->left_out == 0);
    CHECK(world.take().has_value());
    CHECK(world.take()->left_out == 4);
  }

  TEST_CASE("what the webhook does not take is tried again, a few times") {
    World world;
    world.stuck("g", kHost, "down");
    world.now += 5s;
    for (unsigned i = 1; i <= AlertGroups::kTries; ++i) {
      const auto alert = world.groups.take(world.now);
      REQUIRE(alert);
      CHECK(world.groups.failed(*alert, world.now) == (i == AlertGroups::kTries));
      CHECK_FALSE(world.groups.take(world.now));
      if (i < AlertGroups::kTries) {
        CHECK(world.groups.next_at(world.now) ==
              world.now + AlertGroups::kFirstPause * (1U << (i - 1)));
        world.now = *world.groups.next_at(world.now);
      }
    }
    SUBCASE("while it lasts it is told after the interval") {
      CHECK(world.groups.next_at(world.now) == world.now + 10min);
      CHECK(world.take_after(10min)->count == 1);
    }
    SUBCASE("nobody hears that it is over who has not heard of it") {
      world.unstuck("g");
      CHECK_FALSE(world.take_after(1h));
    }
  }

  TEST_CASE("a resolved that is not taken is tried again, and then forgotten") {
    World world;
    world.stuck("g", kHost, "down");
    REQUIRE(world.take_after(5s));
    world.unstuck("g");
    world.now += 5s;
    unsigned tries = 0;
    for (int i = 0; i < 20; ++i, world.now += 1min) {
      const auto alert = world.groups.take(world.now);
      if (!alert) continue;
      CHECK(alert->state == AlertState::resolved);
      world.groups.failed(*alert, world.now);
      ++tries;
    }
    CHECK(tries == AlertGroups::kTries);
  }

  TEST_CASE("causes without end do not make groups without end, and none is lost") {
    World world({.interval = 0ms, .per_minute_max = 100'000});
    const std::string word(10'000, 'x');
    for (std::size_t i = 0; i < AlertGroups::kGroupsMax + 500; ++i)
      world.stuck("g" + std::to_string(i), "handler" + std::to_string(i) + word, word);
    CHECK(world.groups.groups() == AlertGroups::kGroupsMax + 1);
    world.now += 5s;
    std::uint64_t count = 0;
    while (const auto alert = world.take()) {
      count += alert->count;
      if (alert->cause == AlertGroups::kOtherCauses) CHECK(alert->count == 500);
      CHECK(alert->target.size() <= AlertGroups::kTextMax);
      CHECK(alert->error.size() <= AlertGroups::kTextMax);
      CHECK(alert->place.size() <= AlertGroups::kTextMax);
    }
    CHECK(count == AlertGroups::kGroupsMax + 500);
    for (std::size_t i = 0; i < AlertGroups::kGroupsMax + 500; ++i)
      world.unstuck("g" + std::to_string(i));
    world.now += 5s;
    while (world.take()) continue;
    CHECK_FALSE(world.take());
    CHECK(world.groups.groups() == 0);
  }

  TEST_CASE("branches without end are not remembered without end, and the alert says so") {
    World world;
    for (std::size_t i = 0; i < AlertGroups::kBranchesMax + 10; ++i)
      world.stuck("g" + std::to_string(i), "handler", "down");
    CHECK(world.groups.branches() == AlertGroups::kBranchesMax);
    world.stuck("other", "other", "down");
    CHECK(world.groups.groups() == 1);
    const auto alert = world.take_after(5s);
    REQUIRE(alert);
    CHECK(alert->count == AlertGroups::kBranchesMax);
    CHECK(alert->has_more);
  }

  TEST_CASE("a cause that is over is told again by the first branch that can be counted") {
    World world;
    world.stuck("old", "other", "down");
    REQUIRE(world.take_after(5s));
    for (std::size_t i = 0; i < AlertGroups::kBranchesMax - 1; ++i)
      world.stuck("g" + std::to_string(i), "handler", "down");
    world.unstuck("old");
    world.stuck("last", "handler", "down");
    world.stuck("new", "other", "down");
    CHECK_FALSE(world.woken);  // there is no place for it
    world.unstuck("g0");
    world.stuck("new", "other", "down");
    CHECK(world.woken);
  }

  TEST_CASE("secrets are in no alert") {
    World world;
    world.stuck("g", "http://me:word@stock.example/a?token=t1", "no answer from http://me:word@h");
    const auto alert = world.take_after(5s);
    REQUIRE(alert);
    const auto body = body_of(*alert);
    CHECK(body.find("word") == std::string::npos);
    CHECK(body.find("t1") == std::string::npos);
    CHECK(body.find("***") != std::string::npos);
  }

  TEST_CASE("the body has dtm's members, and the group's") {
    Alert alert{.group = 255,
                .count = 7,
                .place = kHost,
                .cause = "down",
                .gid = "g\xff",
                .branch_id = "02",
                .target = "http://stock.example/a",
                .error = "down",
                .op = Op::compensate,
                .status = Status::aborting,
                .attempts = 4,
                .left_out = 1};
    const auto firing = nlohmann::json::parse(body_of(alert));
    CHECK(firing["branch"] == "http://stock.example/a");
    CHECK(firing["error"] == "down");
    CHECK(firing["gid"] == "g\xef\xbf\xbd");
    CHECK(firing["retry_count"] == 4);
    CHECK(firing["status"] == "aborting");
    CHECK(firing["state"] == "firing");
    CHECK(firing["group"] == "00000000000000ff");
    CHECK(firing["host"] == kHost);
    CHECK(firing["branch_id"] == "02");
    CHECK(firing["op"] == "compensate");
    CHECK(firing["count"] == 7);
    CHECK(firing["left_out"] == 1);
    alert.state = AlertState::resolved;
    const auto resolved = nlohmann::json::parse(body_of(alert));
    CHECK(resolved["state"] == "resolved");
    CHECK(resolved["error"] == "resolved: down");
    CHECK(resolved["retry_count"] == 0);
  }
}

}  // namespace belay::tool
