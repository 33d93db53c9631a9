// Bytes in memory, each bound for the sum: what is unfinished, what is queued, what was copied for
// calls.
#include <doctest/doctest.h>

#include "engine_fixture.h"

namespace belay::test {
namespace {

Options with_limits(const Limits& limits) {
  Options options;
  options.history = History::none;
  options.limits = limits;
  return options;
}

Saga large(const std::string& gid) { return Saga(gid).step("a", "", std::string(10'000, 'x')); }

}  // namespace

TEST_SUITE("engine/bytes") {
  // With g++'s library and 64 bits. One member more is 16 bytes more for each of a million:
  // malloc's blocks have 8 bytes of its own, and grow in steps of 16.
  TEST_CASE("what is kept of each transaction stays small") {
    CHECK(sizeof(engine::Live) <= 264);
    CHECK(sizeof(core::Definition) <= 56);
  }

  TEST_CASE("what is unfinished: the next is refused, and let in when one has ended") {
    TestEngine test(with_limits({.live_bytes_max = 25'000}));
    test.ports.default_kind = ports::Caller::Kind::deferred;
    for (const auto* gid : {"g1", "g2", "g3"}) REQUIRE(test.submit(large(gid), gid));
    CHECK(test.error_of("g3") == ErrorCode::live_bytes_limit);
    test.settle();
    const auto bytes = test.engine.counters().live_bytes;
    CHECK(bytes > 20'000);
    CHECK(bytes <= 25'000);
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.engine.counters().live_bytes < bytes - 10'000);
    REQUIRE(test.submit(large("g3"), "again"));
    CHECK_FALSE(test.error_of("again"));
  }

  TEST_CASE("all that was counted is given back") {
    TestEngine test(with_limits({}));
    for (const auto* gid : {"g1", "g2", "g3"}) {
      REQUIRE(test.submit(large(gid), gid));
      REQUIRE(test.engine.ask(engine::FindRequest::wait(gid, std::nullopt, test.answer("wait"))));
      REQUIRE(test.engine.ask(engine::FindRequest::find(gid, test.answer("find"))));
      test.engine.turn();
    }
    CHECK(test.engine.counters().live_bytes > 30'000);
    test.settle();
    test.engine.turn();
    CHECK(test.answered["wait"] == 3);
    CHECK(test.engine.counters().live == 0);
    CHECK(test.engine.counters().live_bytes == 0);
    CHECK(test.engine.counters().queued_bytes == 0);
  }

  TEST_CASE("a lone transaction is taken, however large") {
    TestEngine test(with_limits({.live_bytes_max = 1, .queued_bytes_max = 1}));
    REQUIRE(test.submit(large("g"), "g"));
    test.settle();
    CHECK(test.answers.at("g")->succeeded());
  }

  TEST_CASE("those who wait for an end take memory, too") {
    TestEngine test(with_limits({.live_bytes_max = 20'000}));
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(two_steps("g"), "g"));
    test.settle();
    for (int i = 0; i < 1'000; ++i)
      REQUIRE(test.engine.ask(engine::FindRequest::wait("g", std::nullopt, test.answer("w"))));
    test.engine.turn();
    CHECK(test.error_of("w") == ErrorCode::live_bytes_limit);
    CHECK(test.answered["w"] > 800);
    CHECK(test.engine.counters().live_bytes <= 20'000);
  }

  TEST_CASE("when nothing may be added, one of those there may still grow until it has ended") {
    TestEngine test(with_limits({.live_bytes_max = 2'500}));
    for (const auto* gid : {"g1", "g2"})
      REQUIRE(test.prepare(Workflow(gid).callback("", "name"), gid));
    test.settle();
    int steps = 0;
    const auto grow = [&](const std::string& gid) {
      const auto name = "step" + std::to_string(++steps);
      REQUIRE(test.progress(gid, {"01", name, "done", std::string(2'000, 'x')}, name));
      test.settle();
      return test.error_of(name);
    };
    CHECK_FALSE(grow("g1"));
    CHECK(grow("g2") == ErrorCode::live_bytes_limit);
    CHECK_FALSE(grow("g1"));
    REQUIRE(test.finish("g1", {}, "end"));
    test.settle();
    CHECK_FALSE(grow("g2"));
  }

  TEST_CASE("a prepared message keeps the memory for those it will go to") {
    TestEngine test(with_limits({.live_bytes_max = 200'000}));
    for (int i = 0; i < 999; ++i)
      REQUIRE(test.subscribe({"all", std::to_string(i) + std::string(50, 't'), ""}, "subscribe"));
    test.settle();
    const auto prepare = [&](const std::string& gid) {
      REQUIRE(test.prepare(Msg(gid).to("topic://all", "").query("q"), gid));
      test.settle();
      return test.error_of(gid);
    };
    CHECK_FALSE(prepare("g1"));
    CHECK(prepare("g2").value_or(ErrorCode::live_bytes_limit) == ErrorCode::live_bytes_limit);
    CHECK(prepare("g3") == ErrorCode::live_bytes_limit);
    test.ports.default_kind = ports::Caller::Kind::deferred;
    const auto before = test.engine.counters().live_bytes;
    REQUIRE(test.submit_word("g1", "word"));
    CHECK(test.engine.counters().live_bytes <= before + 5'000);
  }

  TEST_CASE("what is queued: the next is refused at once") {
    TestEngine test(with_limits({.queued_bytes_max = 25'000}));
    const auto hand_in = [&](const std::string& gid) {
      auto bytes = encode(large(gid), gid, test.options.limits, core::Entry::submit);
      return test.engine.ask(engine::SubmitRequest{*core::Definition::parse(std::move(*bytes)),
                                                   core::Entry::submit, false, true,
                                                   test.answer(gid)});
    };
    REQUIRE(hand_in("g1"));
    REQUIRE(hand_in("g2"));
    const auto third = hand_in("g3");
    REQUIRE_FALSE(third);
    CHECK(third.error().code == ErrorCode::queued_bytes_limit);
    test.engine.turn();
    CHECK_FALSE(hand_in("g3"));  // looked up, and so still queued
    test.answer_lookup();
    CHECK(hand_in("g3"));
    CHECK(test.engine.counters().refused == 2);
    test.engine.turn();
    test.answer_lookup();
    test.settle();
    CHECK(test.engine.counters().queued_bytes == 0);
  }

  TEST_CASE("copies for calls: more wait their turn, a lone one goes") {
    TestEngine test(with_limits({.call_bytes_max = 15'000}));
    test.ports.default_kind = ports::Caller::Kind::deferred;
    for (const auto* gid : {"g1", "g2", "g3"}) REQUIRE(test.submit(large(gid), gid));
    test.settle();
    CHECK(test.engine.counters().calls_in_flight == 2);
    CHECK(test.engine.counters().calls_waiting == 1);
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.engine.counters().calls_in_flight == 2);
    CHECK(test.engine.counters().calls_waiting == 0);
  }
}

}  // namespace belay::test
