// Blocking handlers that run beyond their call's time: what is not called beside them, and what
// their late answers are worth.
#include <doctest/doctest.h>

#include "engine_fixture.h"

namespace belay::test {
namespace {

using Calls = std::vector<std::string>;

// Calls time out after 500 ms and are made again 1,000 ms later.
struct BlockingEngine : TestEngine {
  explicit BlockingEngine(Options wanted = {}) : TestEngine(quick(std::move(wanted))) {
    ports.default_kind = ports::Caller::Kind::blocking;
  }
  static Options quick(Options options) {
    options.request_timeout = Millis{500};
    options.retry.first_interval = Millis{1'000};
    options.retry.multiplier = 1;
    options.retry.jitter = 0;
    return options;
  }
  void pass(std::uint64_t ms) {
    advance(ms);
    settle();
  }
  void come_back(std::size_t call, const Outcome& outcome) {
    engine.answer(ports.later.at(call), outcome);
    engine.turn();
    settle();
  }
  void stop(const std::string& gid, const std::string& name) {
    REQUIRE(engine.ask(
        engine::WordRequest{gid, engine::WordRequest::Word::stop, "enough", answer(name)}));
    engine.turn();
    answer_lookup();
    settle();
  }
  Report look(const std::string& gid) {
    REQUIRE(engine.ask(engine::FindRequest::find(gid, answer("look"))));
    engine.turn();
    answer_lookup();
    settle();
    return *answers.at("look");
  }
};

Saga slow(const std::string& gid) { return Saga(gid).step("a", "undo a"); }

}  // namespace

TEST_SUITE("engine/running_on") {
  TEST_CASE("a branch is not called again beside its handler, but when that is back") {
    BlockingEngine test;
    REQUIRE(test.submit(slow("g"), "run"));
    test.settle();
    test.pass(500);
    CHECK(test.look("g").reason() == "no answer within 500 ms; its handler still runs");
    CHECK_FALSE(test.look("g").stuck());  // its time has not come
    test.pass(1'000);
    CHECK(test.ports.calls == Calls{"01 action"});
    CHECK(test.look("g").stuck());
    CHECK(test.engine.counters().stuck == 1);
    CHECK(test.engine.counters().calls_in_flight == 1);
    CHECK(test.engine.counters().calls_waiting == 1);
    test.pass(3'600'000);
    CHECK(test.ports.calls.size() == 1);
    test.come_back(0, Outcome::unknown("it broke"));
    CHECK(test.ports.calls == Calls{"01 action", "01 action"});
    CHECK_FALSE(test.look("g").stuck());
    CHECK(test.engine.counters().stuck == 0);
    test.come_back(1, Outcome::success());
    CHECK(test.answers.at("run")->succeeded());
    CHECK(test.engine.counters().calls_unknown == 1);
  }

  TEST_CASE("one that is back before its branch's next time waits for that time") {
    BlockingEngine test;
    REQUIRE(test.submit(slow("g"), "run"));
    test.settle();
    test.pass(500);
    test.come_back(0, Outcome::ongoing("not yet"));
    CHECK(test.ports.calls.size() == 1);
    CHECK(test.engine.counters().calls_in_flight == 0);
    test.pass(1'000);
    CHECK(test.ports.calls.size() == 2);
  }

  TEST_CASE("a late yes or no counts, and nobody is called in its place") {
    for (const bool next_waits : {false, true}) {
      CAPTURE(next_waits);
      for (const bool yes : {false, true}) {
        BlockingEngine test;
        REQUIRE(test.submit(slow("g"), "run"));
        test.settle();
        test.pass(500);
        if (next_waits) test.pass(1'000);
        test.come_back(0, yes ? Outcome::success() : Outcome::failure("no seat"));
        if (yes) {
          CHECK(test.ports.calls == Calls{"01 action"});
          CHECK(test.answers.at("run")->succeeded());
        } else {
          CHECK(test.ports.calls == Calls{"01 action", "01 compensate"});
          test.come_back(1, Outcome::success());
          CHECK(test.answers.at("run")->reason() == "branch 01 (a): no seat");
        }
        CHECK(test.engine.counters().stuck == 0);
        CHECK(test.engine.counters().live == 0);
      }
    }
  }

  TEST_CASE("what undoes a branch waits for its handler, whose late answer changes nothing") {
    Options options;
    options.retry.limit = 1;
    BlockingEngine test(options);
    test.ports.kinds["undo a"] = ports::Caller::Kind::immediate;
    REQUIRE(test.submit(slow("g"), "run"));
    test.settle();
    test.pass(500);
    CHECK(test.look("g").status() == Status::aborting);
    CHECK(test.look("g").stuck());
    test.pass(3'600'000);
    CHECK(test.ports.calls == Calls{"01 action"});
    test.come_back(0, Outcome::success());
    CHECK(test.ports.calls == Calls{"01 action", "01 compensate"});
    CHECK(test.answers.at("run")->status() == Status::failed);
    CHECK(test.engine.counters().stuck == 0);
  }

  TEST_CASE("a late no to what must succeed is asked again, and costs no attempt") {
    BlockingEngine test;
    REQUIRE(test.submit(Msg("g").to("a"), "run"));
    test.settle();
    test.pass(500);
    test.come_back(0, Outcome::failure("not now"));
    CHECK(test.ports.calls.size() == 1);
    test.pass(1'000);
    CHECK(test.ports.calls.size() == 2);
    CHECK((test.ports.fences[1] & 0xffffffff) == 2);
    test.come_back(1, Outcome::success());
    CHECK(test.answers.at("run")->succeeded());
  }

  TEST_CASE("a late yes to a back-check whose message can go to nobody costs no attempt") {
    BlockingEngine test;
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    REQUIRE(
        test.prepare(Msg("g").to("topic://news").query("q").timeout_to_fail(Millis{1'000}), "g"));
    REQUIRE(test.unsubscribe({"news", "a"}, "not a"));
    test.settle();
    test.pass(1'000);
    test.pass(500);
    test.pass(1'000);  // the next call waits for the handler
    test.come_back(0, Outcome::success());
    CHECK(test.ports.targets == Calls{"q", "q"});
    CHECK((test.ports.fences[1] & 0xffffffff) == 2);
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    test.settle();
    test.come_back(1, Outcome::success());
    CHECK(test.ports.targets == Calls{"q", "q", "b"});
  }

  TEST_CASE("a call that waits for its handler is withdrawn when its transaction turns back") {
    BlockingEngine test;
    REQUIRE(test.submit(slow("g").timeout_to_fail(Millis{5'000}), "run"));
    test.settle();
    test.pass(500);
    test.pass(1'000);
    test.pass(4'000);
    CHECK(test.look("g").status() == Status::aborting);
    test.come_back(0, Outcome::failure("no"));
    CHECK(test.ports.calls == Calls{"01 action", "01 compensate"});
    test.come_back(1, Outcome::success());
    CHECK(test.answers.at("run")->reason() == "timeout after 5000 ms");
  }

  TEST_CASE("other branches and transactions go on, within the limit of calls in flight") {
    Options options;
    options.limits.calls_in_flight_max = 2;
    BlockingEngine test(options);
    REQUIRE(test.submit(slow("g"), "run"));
    test.settle();
    test.pass(500);
    REQUIRE(test.submit(Saga("h").step("b", "").step("c", "").concurrent(), "other"));
    test.settle();
    CHECK(test.ports.targets == Calls{"a", "b"});
    test.come_back(1, Outcome::success());
    CHECK(test.ports.targets == Calls{"a", "b", "c"});
  }

  TEST_CASE("a stop does not wait for it, and a forgotten gid is not run again beside it") {
    Options options;
    options.history = History::none;
    BlockingEngine test(options);
    REQUIRE(test.submit(slow("g"), "run"));
    test.settle();
    test.pass(500);
    test.pass(1'000);
    test.stop("g", "stop");
    CHECK(test.answers.at("stop")->status() == Status::failed);
    CHECK(test.engine.counters().stuck == 0);
    CHECK(test.engine.counters().calls_waiting == 0);
    REQUIRE(test.submit(slow("g"), "again"));
    test.settle();
    CHECK(test.answers.at("again")->joined());
    CHECK(test.ports.calls.size() == 1);
    test.come_back(0, Outcome::success());
    REQUIRE(test.submit(slow("g"), "anew"));
    test.settle();
    CHECK(test.ports.calls.size() == 2);
  }

  TEST_CASE("a close waits for it, and keeps what it says") {
    BlockingEngine test;
    REQUIRE(test.submit(slow("g"), "run"));
    test.settle();
    bool closed = false;
    REQUIRE(test.engine.ask(
        engine::CloseRequest{[&](const Result<>& result) { closed = result.has_value(); }}));
    test.pass(500);
    test.pass(3'600'000);
    CHECK_FALSE(closed);
    test.come_back(0, Outcome::success());
    CHECK(closed);
    CHECK(test.answers.at("run")->succeeded());
  }

  TEST_CASE("a close on a disk that refuses waits for it too") {
    BlockingEngine test;
    REQUIRE(test.submit(slow("g"), "run"));
    test.settle();
    bool closed = false;
    REQUIRE(test.engine.ask(engine::CloseRequest{[&](const Result<>&) { closed = true; }}));
    test.advance(500);
    while (test.refuse_commit()) test.advance(10'000);
    CHECK_FALSE(closed);
    test.engine.answer(test.ports.later.at(0), Outcome::success());
    test.engine.turn();
    CHECK(closed);
  }
}

}  // namespace belay::test
