// Calls that wait for a place. A target's lane is its first letter.
#include <doctest/doctest.h>

#include "engine_fixture.h"

namespace belay::test {
namespace {

using Targets = std::vector<std::string>;

Options one_call_at_once() {
  Options options;
  options.limits.calls_in_flight_max = 1;
  return options;
}

struct LanesEngine : TestEngine {
  explicit LanesEngine(Options wanted = {}) : TestEngine(std::move(wanted)) {
    ports.default_kind = ports::Caller::Kind::deferred;
  }
  void open(char lane) {
    ports.shut.erase(lane);
    engine.lane_opened(static_cast<unsigned char>(lane));
    engine.turn();
  }
  void answer_last() {
    engine.answer(ports.later.back(), Outcome::success());
    engine.turn();
    settle();
  }
};

}  // namespace

TEST_SUITE("engine/lanes") {
  TEST_CASE("a call whose lane has no place waits, other lanes go on") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(two_steps("g").concurrent(), "first"));
    test.settle();
    CHECK(test.ports.targets == Targets{"b"});
    CHECK(test.engine.counters().calls_waiting == 1);
    CHECK(test.engine.counters().calls_in_flight == 1);
    test.open('a');
    CHECK(test.ports.targets == Targets{"b", "a"});
    CHECK(test.engine.counters().calls_waiting == 0);
  }

  TEST_CASE("an opened lane wakes the engine; one for which nothing waits does not") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    test.ports.woken = false;
    test.engine.lane_opened('b');
    CHECK_FALSE(test.ports.woken);
    test.engine.lane_opened('a');
    CHECK(test.ports.woken);
  }

  TEST_CASE("a lane that was opened and is full again goes on waiting") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    test.engine.lane_opened('a');
    test.engine.turn();
    CHECK(test.ports.targets.empty());
    test.open('a');
    CHECK(test.ports.targets == Targets{"a"});
  }

  TEST_CASE("waiting costs no attempt, and the call's timeout begins when it is made") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(two_steps("g").request_timeout(Millis{500}), "first"));
    test.settle();
    test.advance(3'600'000);
    test.settle();
    CHECK(test.engine.counters().calls == 0);
    test.open('a');
    REQUIRE(test.ports.fences.size() == 1);
    CHECK(test.ports.fences[0] == (std::uint64_t{1} << 32 | 1));
    test.advance(499);
    CHECK(test.engine.counters().calls_in_flight == 1);
    test.advance(1);
    CHECK(test.engine.counters().calls_in_flight == 0);
  }

  TEST_CASE("a call's end lets the next of its lane go, whether it was answered or given up") {
    LanesEngine test;
    REQUIRE(test.submit(Saga("g1").step("a1", "").request_timeout(Millis{500}), "first"));
    test.settle();
    test.ports.shut = {'a'};
    REQUIRE(test.submit(Saga("g2").step("a2", ""), "second"));
    REQUIRE(test.submit(Saga("g3").step("a3", ""), "third"));
    test.settle();
    test.ports.shut.clear();
    SUBCASE("answered") { test.answer_last(); }
    SUBCASE("given up") { test.advance(500); }
    CHECK(test.ports.targets == Targets{"a1", "a2", "a3"});
  }

  TEST_CASE("nobody overtakes within a lane") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(Saga("g1").step("a1", ""), "first"));
    test.settle();
    test.ports.shut.clear();
    REQUIRE(test.submit(Saga("g2").step("a2", ""), "second"));
    test.settle();
    test.open('a');
    CHECK(test.ports.targets == Targets{"a1", "a2"});
  }

  TEST_CASE("lanes that wait for the engine's limit are served in turn") {
    LanesEngine test(one_call_at_once());
    for (const auto* target : {"a1", "a2", "a3", "a4", "b1", "b2", "c1"}) {
      REQUIRE(test.submit(Saga(target).step(target, ""), target));
      test.settle();
    }
    CHECK(test.engine.counters().calls_waiting == 6);
    while (test.engine.counters().calls_in_flight != 0) test.answer_last();
    CHECK(test.ports.targets == Targets{"a1", "a2", "b1", "c1", "a3", "b2", "a4"});
  }

  TEST_CASE("a lane without place takes no turn from the others") {
    LanesEngine test(one_call_at_once());
    for (const auto* target : {"x1", "a1", "a2", "b1"}) {
      REQUIRE(test.submit(Saga(target).step(target, ""), target));
      test.settle();
    }
    test.ports.shut = {'a'};
    test.answer_last();
    test.answer_last();
    CHECK(test.ports.targets == Targets{"x1", "b1"});
    CHECK(test.engine.counters().calls_waiting == 2);
    test.open('a');
    test.answer_last();
    CHECK(test.ports.targets == Targets{"x1", "b1", "a1", "a2"});
  }

  TEST_CASE("what turned back withdraws a call that waits, and goes on though no lane opens") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(two_steps("g").concurrent().timeout_to_fail(Millis{1'000}), "first"));
    test.settle();
    test.answer_last();
    test.advance(1'000);
    test.settle();
    CHECK(test.engine.counters().calls_waiting == 0);
    // the first may have been called in an earlier life: it is undone as well
    CHECK(test.ports.calls ==
          std::vector<std::string>{"02 action", "02 compensate", "01 compensate"});
    for (const auto id : test.ports.later) test.engine.answer(id, Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.answers.at("first")->status() == Status::failed);
    test.open('a');
    CHECK(test.ports.calls.size() == 3);
  }

  TEST_CASE("a call that waits does not outlive its transaction") {
    Options options;
    options.history = History::none;
    LanesEngine test(options);
    test.ports.shut = {'q'};
    REQUIRE(
        test.prepare(Msg("g").to("a").query("query").timeout_to_fail(Millis{1'000}), "prepare"));
    test.settle();
    test.advance(1'000);
    test.settle();
    CHECK(test.engine.counters().calls_waiting == 1);
    REQUIRE(test.submit_word("g", "submit"));
    test.settle();
    CHECK(test.engine.counters().calls_waiting == 0);
    test.answer_last();
    CHECK(test.engine.counters().live == 0);
    test.open('q');
    CHECK(test.ports.targets == Targets{"a"});
  }

  TEST_CASE("while the disk refuses an open lane calls nobody") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(two_steps("g1"), "first"));
    test.settle();
    REQUIRE(test.submit(two_steps("g2"), "second"));
    REQUIRE(test.refuse_commit());
    test.open('a');
    CHECK(test.ports.targets.empty());
    test.advance(5'000);
    test.settle();
    CHECK(test.ports.targets == Targets{"a", "a"});
  }

  TEST_CASE("a name that goes while its call waits leaves the transaction parked") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    test.ports.kinds["a"] = ports::Caller::Kind::unregistered;
    test.open('a');
    test.settle();
    CHECK(test.engine.counters().calls_waiting == 0);
    CHECK(test.engine.counters().stuck == 1);
  }

  TEST_CASE("closing does not wait for calls that wait") {
    LanesEngine test;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    bool closed = false;
    REQUIRE(test.engine.ask(
        engine::CloseRequest{[&](const Result<>& result) { closed = result.has_value(); }}));
    test.engine.turn();
    test.settle();
    CHECK(closed);
    CHECK(test.ports.calls.empty());
  }
}

}  // namespace belay::test
