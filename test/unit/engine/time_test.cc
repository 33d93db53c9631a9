// The engine's scale of time beside a wall clock that is wrong, and what retention counts.
#include <doctest/doctest.h>

#include "engine/engine_time.h"
#include "engine/seen_time.h"
#include "engine_fixture.h"

namespace belay::test {
namespace {

constexpr std::uint64_t kSecond = 1'000;
constexpr std::uint64_t kHour = 3'600 * kSecond;
constexpr std::uint64_t kDay = 24 * kHour;
constexpr std::uint64_t kYear = 365 * kDay;
constexpr std::uint64_t kNow = 1'700'000'000'000;

class TestClock final : public ports::Clock {
 public:
  std::uint64_t wall_ms() override { return wall; }
  std::uint64_t monotonic_ms() override { return monotonic; }

  std::uint64_t wall = kNow;
  std::uint64_t monotonic = 5;
};

// How long the scale says that something took, when it took `real` ms.
std::uint64_t told(engine::EngineTime& time, TestClock& clock, std::uint64_t real) {
  const auto before = time.now();
  for (const auto end = clock.monotonic + real; clock.monotonic < end;) {
    const auto step = std::min<std::uint64_t>(end - clock.monotonic, 250);
    clock.monotonic += step;
    clock.wall += step;
    time.tick(clock);
  }
  return time.now() - before;
}

}  // namespace

TEST_SUITE("engine/time") {
  TEST_CASE(
      "a small difference is leaned away, by an eighth at most, and then intervals are exact") {
    for (const bool ahead : {true, false}) {
      TestClock clock;
      engine::EngineTime time;
      time.start(clock, 0);
      ahead ? clock.wall -= kHour : clock.wall += kHour;
      const auto while_leaning = told(time, clock, 80 * kSecond);
      CHECK(while_leaning == (ahead ? 70 * kSecond : 90 * kSecond));
      told(time, clock, 8 * kHour);
      CHECK(time.now() == clock.wall);
      CHECK(told(time, clock, 80 * kSecond) == 80 * kSecond);
    }
  }

  TEST_CASE(
      "a difference at the bound is leaned away, one beyond it stays, and intervals are exact") {
    constexpr auto kBound = static_cast<std::uint64_t>(engine::EngineTime::kLeanMax);
    for (const auto difference : {kBound, kBound + 1, 10 * kDay, 4 * kYear}) {
      for (const bool ahead : {true, false}) {
        CAPTURE(difference);
        TestClock clock;
        engine::EngineTime time;
        time.start(clock, 0);
        ahead ? clock.wall -= difference : clock.wall += difference;
        const bool leans = difference <= kBound;
        CHECK((told(time, clock, 80 * kSecond) != 80 * kSecond) == leans);
        told(time, clock, 25 * kHour);
        CHECK(told(time, clock, 80 * kSecond) == 80 * kSecond);
        CHECK((time.now() == clock.wall) == leans);
      }
    }
  }

  TEST_CASE("it never starts before what the file has seen") {
    TestClock clock;
    engine::EngineTime time;
    time.start(clock, kNow + 4 * kYear);
    CHECK(time.now() == kNow + 4 * kYear);
    CHECK(told(time, clock, kHour) == kHour);
  }

  TEST_CASE("one start with a clock years ahead leaves the next ones' intervals as they are") {
    Options options;
    options.retry.first_interval = Millis{10'000};
    options.retry.jitter = 0;
    TestEngine test(options, {.epoch = 2, .seen_until = kNow + 4 * kYear});
    test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    test.settle();
    REQUIRE(test.ports.calls.size() == 1);
    test.advance(9'999);
    test.settle();
    CHECK(test.ports.calls.size() == 1);
    test.advance(1);
    test.settle();
    CHECK(test.ports.calls.size() == 2);
  }

  TEST_CASE("the log says so when the clock is far behind what the file has seen") {
    std::vector<std::string> lines;
    Options options;
    options.log_user = &lines;
    options.log = [](const LogLine& line, void* user) {
      static_cast<std::vector<std::string>*>(user)->emplace_back(line.text);
    };
    const TestEngine near(options, {.epoch = 2, .seen_until = 1'700'000'000'000 + 3 * kHour});
    CHECK(lines.empty());
    const TestEngine far(options, {.epoch = 2, .seen_until = 1'700'000'000'000 + 10 * kDay});
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("864000 s behind") != std::string::npos);
  }
}

TEST_SUITE("engine/seen_time") {
  using engine::SeenTime;

  TEST_CASE("without gaps it is time itself") {
    SeenTime time;
    CHECK_FALSE(time.start("", 0, kNow));
    CHECK_FALSE(time.start("", kNow - SeenTime::kGapMin + 1, kNow));
    CHECK(time.since(kNow, kDay) == kNow - kDay);
    CHECK(time.since(kNow, 2 * kNow) == 0);
    CHECK(time.text().empty());
  }

  TEST_CASE("a gap does not count, until the span was seen behind it") {
    SeenTime time;
    REQUIRE(time.start("", kNow, kNow + 10 * kDay));
    const auto begun = kNow + 10 * kDay;
    CHECK(time.since(begun, 7 * kDay) == kNow - 7 * kDay);
    CHECK(time.since(begun + kDay, 7 * kDay) == kNow - 6 * kDay);
    CHECK(time.since(begun + 7 * kDay - 1, 7 * kDay) == kNow - 1);
    CHECK(time.since(begun + 7 * kDay, 7 * kDay) == begun);
    CHECK(time.since(begun + 8 * kDay, 7 * kDay) == begun + kDay);
  }

  TEST_CASE("the next engine knows of it, and adds its own") {
    SeenTime first;
    REQUIRE(first.start("", kNow, kNow + 10 * kDay));
    SeenTime second;
    CHECK_FALSE(second.start(first.text(), kNow + 10 * kDay, kNow + 10 * kDay + 1'000));
    CHECK(second.text() == first.text());
    SeenTime third;
    REQUIRE(third.start(second.text(), kNow + 11 * kDay, kNow + 20 * kDay));
    CHECK(third.since(kNow + 20 * kDay, 2 * kDay) == kNow - kDay);
  }

  TEST_CASE("the longest are kept") {
    SeenTime time;
    auto now = kNow;
    std::string text;
    for (std::size_t i = 0; i < 3 * SeenTime::kGapsMax; ++i) {
      const auto length = i == 2 ? 10 * kDay : kHour + i;
      REQUIRE(time.start(text, now, now + length));
      text = time.text();
      now += length + 1'000;
    }
    CHECK(text.find(" 864000000") != std::string::npos);
    CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), ',')) ==
          SeenTime::kGapsMax - 1);
  }

  TEST_CASE("a text that cannot be read: nothing before this start was seen") {
    for (const auto* text : {"x", "1", "1 ", " 1 1", "5 6", "9 1,8 1", "9 1,9 1", "9 1,",
                             "9 1;10 1", "99999999999999999999 1", "9 1,12 1 "}) {
      CAPTURE(text);
      SeenTime time;
      CHECK(time.start(text, kNow, kNow));
      CHECK(time.since(kNow + kDay, kDay) == kNow);
      CHECK(time.since(kNow + kDay, kDay + 1) == 0);
    }
  }

  TEST_CASE("an idle engine notes every hour, and at its close, that it sees time pass") {
    TestEngine test({}, {.epoch = 2, .seen_until = kNow});
    test.settle();
    test.advance(kHour - kSecond);
    test.settle();
    CHECK(test.engine.counters().storage_ok);
    CHECK_FALSE(test.ports.commit_done);
    test.advance(9 * kSecond);
    REQUIRE(test.ports.commit_done);
    CHECK(test.ports.committing->checked_at == kNow + kHour + 8 * kSecond);
    test.settle();
    test.advance(2 * 60 * kSecond);
    CHECK_FALSE(test.ports.commit_done);
    bool closed = false;
    REQUIRE(test.engine.ask(
        engine::CloseRequest{[&](const Result<>& result) { closed = result.has_value(); }}));
    test.engine.turn();
    REQUIRE(test.ports.commit_done);
    CHECK_FALSE(closed);
    CHECK(test.ports.committing->checked_at == kNow + kHour + 128 * kSecond);
    test.settle();
    CHECK(closed);
  }

  TEST_CASE("a clock ten days ahead at a start erases nothing, nor at the starts behind it") {
    Options options;  // a week
    FakePorts ports;
    ports.wall = kNow + 10 * kDay;
    engine::Coordinator ahead(options, {ports, ports, ports, ports});
    ahead.start({.epoch = 2, .seen_until = kNow});
    ahead.turn();
    CHECK_FALSE(ports.collect_done);  // not before the gap is on disk
    REQUIRE(ports.commit_done);
    REQUIRE(ports.committing->gaps);
    const auto gaps = *ports.committing->gaps;
    CHECK(ports.committing->checked_at == kNow + 10 * kDay);
    std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    REQUIRE(ports.collect_done);
    CHECK(ports.collected->succeed_before == kNow - 7 * kDay);
    CHECK(ports.collected->failed_before == kNow - 7 * kDay);

    FakePorts later;
    later.wall = kNow + 11 * kDay;
    engine::Coordinator next(options, {later, later, later, later});
    next.start({.epoch = 3, .seen_until = kNow + 11 * kDay, .gaps = gaps});
    next.turn();
    REQUIRE(later.collect_done);
    CHECK_FALSE(later.commit_done);
    CHECK(later.collected->succeed_before == kNow - 6 * kDay);
  }
}

}  // namespace belay::test
