// The operator's words: a transaction that ends here, or that waits no longer.
#include <doctest/doctest.h>

#include "core/apply.h"
#include "engine_fixture.h"

namespace belay::test {
namespace {

using Calls = std::vector<std::string>;
using Kind = ports::Caller::Kind;

struct Operated : TestEngine {
  using TestEngine::TestEngine;

  void stop(const std::string& gid, const std::string& name, const std::string& reason = "enough") {
    say(engine::WordRequest::Word::stop, gid, name, reason);
  }
  void hasten(const std::string& gid, const std::string& name) {
    say(engine::WordRequest::Word::hasten, gid, name, "");
  }
  // As told, or nothing if it was not yet.
  std::optional<Woken> hasten_all(std::uint64_t later_than, std::uint32_t limit) {
    woken.reset();
    REQUIRE(
        engine.ask(engine::HastenRequest{later_than, limit, [this](const Result<Woken>& result) {
                                           REQUIRE(result.has_value());
                                           woken = *result;
                                         }}));
    engine.turn();
    return woken;
  }
  void answer_call(std::size_t index, const Outcome& outcome) {
    engine.answer(ports.later.at(index), outcome);
    engine.turn();
  }

  std::optional<Woken> woken;

 private:
  void say(engine::WordRequest::Word word, const std::string& gid, const std::string& name,
           const std::string& reason) {
    REQUIRE(engine.ask(engine::WordRequest{gid, word, reason, answer(name)}));
    engine.turn();
    answer_lookup();
  }
};

Saga one_step(const std::string& gid) { return Saga(gid).step("a", "undo a"); }

}  // namespace

TEST_SUITE("engine/operator") {
  TEST_CASE("a stop is told when it is final on disk, after the calls in flight came back") {
    Operated test;
    test.ports.default_kind = Kind::deferred;
    REQUIRE(test.submit(two_steps("g"), "run"));
    test.settle();
    test.stop("g", "stop");
    test.stop("g", "again");
    test.settle();
    CHECK(test.answered["stop"] + test.answered["again"] + test.answered["run"] == 0);
    test.answer_call(0, Outcome::success());
    CHECK(test.answered["stop"] == 0);  // decided, not on disk
    REQUIRE(test.commit());
    for (const auto* name : {"stop", "again", "run"}) {
      REQUIRE(test.answered[name] == 1);
      CHECK(test.answers.at(name)->status() == Status::failed);
      CHECK(test.answers.at(name)->reason() == "enough");
    }
    test.settle();
    CHECK(test.ports.calls == Calls{"01 action"});
    CHECK(test.engine.counters().failed == 1);
    CHECK(test.engine.counters().live == 0);
  }

  TEST_CASE("a call in flight that never comes back ends a stop by its timeout") {
    Operated test;
    test.ports.default_kind = Kind::deferred;
    REQUIRE(test.submit(one_step("g").request_timeout(Millis{500}), "run"));
    test.settle();
    test.stop("g", "stop", "");
    test.settle();
    CHECK(test.answered["stop"] == 0);
    test.advance(500);
    test.settle();
    CHECK(test.answers.at("stop")->reason() == "stopped by an operator");
    CHECK(test.ports.calls == Calls{"01 action"});
  }

  TEST_CASE("a call that waits for a place is withdrawn by a stop at once") {
    Options options;
    options.limits.calls_in_flight_max = 1;
    Operated test(options);
    test.ports.default_kind = Kind::deferred;
    REQUIRE(test.submit(one_step("first"), "first"));
    test.settle();
    REQUIRE(test.submit(Saga("g").step("b", "").step("c", "").concurrent(), "run"));
    test.settle();
    CHECK(test.engine.counters().calls_waiting == 2);
    test.stop("g", "stop");
    test.settle();
    CHECK(test.answers.at("stop")->status() == Status::failed);
    CHECK(test.engine.counters().calls_waiting == 0);
    test.answer_call(0, Outcome::success());
    test.settle();
    CHECK(test.answers.at("first")->succeeded());
    CHECK(test.ports.targets == Calls{"a"});
  }

  TEST_CASE("a call decided but not on disk is not made after a stop") {
    Operated test;
    REQUIRE(test.submit(two_steps("g"), "run"));
    test.stop("g", "stop");
    test.settle();
    CHECK(test.answers.at("stop")->status() == Status::failed);
    CHECK(test.ports.calls.empty());
  }

  TEST_CASE("a stop ends what is parked, what retries, what is delayed and what waits for a word") {
    Operated test;
    test.ports.kinds["a"] = Kind::unregistered;
    test.ports.outcomes.insert_or_assign("b", Outcome::unknown("down"));
    REQUIRE(test.submit(one_step("parked"), "parked", false));
    REQUIRE(test.submit(Msg("retries").to("b"), "retries", false));
    REQUIRE(test.submit(Saga("delayed").step("c", "").delay(Millis{5'000}), "delayed", false));
    REQUIRE(test.prepare(Tcc("prepared"), "prepared"));
    REQUIRE(test.branch("prepared", kSeat, "seat"));
    test.settle();
    const auto calls = test.ports.calls.size();
    CHECK(test.engine.counters().stuck == 1);
    for (const auto* gid : {"parked", "retries", "delayed", "prepared"})
      test.stop(gid, std::string("stop ") + gid);
    test.settle();
    for (const auto* gid : {"parked", "retries", "delayed", "prepared"})
      CHECK(test.answers.at(std::string("stop ") + gid)->status() == Status::failed);
    CHECK(test.engine.counters().stuck == 0);
    CHECK(test.engine.counters().live == 0);
    REQUIRE(test.engine.ask(engine::RegisteredRequest{"a"}));
    test.advance(600'000);
    test.settle();
    CHECK(test.ports.calls.size() == calls);
  }

  TEST_CASE("who waits for a driven branch hears of the stop, and no word is taken after it") {
    Operated test;
    test.ports.default_kind = Kind::deferred;
    REQUIRE(test.prepare(Tcc("g"), "prepare"));
    REQUIRE(test.branch("g", kSeat, "seat"));
    test.settle();
    test.stop("g", "stop");
    test.settle();
    REQUIRE(test.answered["seat"] == 1);
    CHECK(test.told.at("seat")->kind() == OutcomeKind::unknown);
    CHECK(test.told.at("seat")->reason() == "the transaction was stopped: enough");
    REQUIRE(test.branch("g", kSeat, "late"));
    REQUIRE(test.submit_word("g", "submit"));
    REQUIRE(test.abort_word("g", "abort"));
    for (const auto* name : {"late", "submit", "abort"})
      CHECK(test.error_of(name) == ErrorCode::forbidden);
    test.hasten("g", "hasten");
    CHECK(test.answers.at("hasten")->status() == Status::prepared);
    test.answer_call(0, Outcome::success());
    test.settle();
    CHECK(test.answers.at("stop")->status() == Status::failed);
    CHECK(test.ports.calls == Calls{"01 try"});
  }

  TEST_CASE("the operator's words on what is unknown or final are refused") {
    Operated test;
    REQUIRE(test.submit(one_step("done"), "done"));
    test.settle();
    ports::StoredSummary stored;
    stored.gid = "old";
    for (const auto status : {Status::succeed, Status::failed}) {
      stored.status = status;
      test.on_disk.insert_or_assign("old", stored);
      test.stop("old", "stop old");
      test.hasten("old", "hasten old");
      CHECK(test.error_of("stop old") == ErrorCode::forbidden);
      CHECK(test.error_of("hasten old") == ErrorCode::forbidden);
    }
    test.stop("nobody", "stop nobody");
    test.hasten("nobody", "hasten nobody");
    CHECK(test.error_of("stop nobody") == ErrorCode::not_found);
    CHECK(test.error_of("hasten nobody") == ErrorCode::not_found);
    test.stop("done", "stop done");
    test.hasten("done", "hasten done");
    CHECK(test.error_of("stop done") == ErrorCode::forbidden);
    CHECK(test.error_of("hasten done") == ErrorCode::forbidden);
  }

  TEST_CASE("a disk that refuses: a stop is not told, and holds when the disk is back") {
    Operated test;
    test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
    REQUIRE(test.submit(one_step("g"), "run", false));
    test.settle();
    test.stop("g", "stop");
    REQUIRE(test.refuse_commit());
    CHECK(test.answered["stop"] == 0);
    test.stop("g", "refused");
    CHECK(test.error_of("refused") == ErrorCode::storage);
    test.advance(5'000);
    test.settle();
    CHECK(test.answers.at("stop")->status() == Status::failed);
    CHECK(test.ports.calls == Calls{"01 action"});
  }

  TEST_CASE("a stop that was on disk before a crash is the end after it, and so is one said then") {
    struct Story {
      bool stopped_before;
      bool stopped_now;
    };
    for (const auto& story : {Story{true, false}, Story{false, true}, Story{true, true}}) {
      CAPTURE(story.stopped_before);
      CAPTURE(story.stopped_now);
      FakePorts ports;
      engine::Coordinator engine({}, {ports, ports, ports, ports});
      const auto bytes = *encode(one_step("g"), "g", {}, core::Entry::submit);
      auto transaction = *core::begin(
          {.kind = core::RecordKind::submitted, .id = 5, .at = ports.wall_ms(), .text = bytes});
      REQUIRE(core::apply(transaction, {.kind = core::RecordKind::started, .id = 5}));
      if (story.stopped_before)
        REQUIRE(core::apply(transaction,
                            {.kind = core::RecordKind::stopped, .id = 5, .text = "enough"}));
      engine.adopt(std::move(transaction), 9, 9, false);
      engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2});
      if (story.stopped_now)
        REQUIRE(engine.ask(engine::WordRequest{"g", engine::WordRequest::Word::stop, "enough",
                                               [](const Result<Report>&) {}}));
      engine.turn();
      while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
      CHECK(ports.calls.empty());
      CHECK(engine.counters().failed == 1);
      CHECK(engine.counters().live == 0);
    }
  }

  TEST_CASE("what waits for its time is done now: a retry, a delayed start; no deadline") {
    Operated test;
    test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
    REQUIRE(test.submit(one_step("retries"), "retries", false));
    REQUIRE(test.submit(Saga("delayed").step("b", "").delay(Millis{5'000}), "delayed", false));
    REQUIRE(test.prepare(Msg("asks").to("c").query("did it"), "asks"));
    REQUIRE(test.prepare(Tcc("waits"), "waits"));
    test.settle();
    CHECK(test.ports.targets == Calls{"a"});
    for (const auto* gid : {"retries", "delayed", "asks", "waits"}) {
      test.hasten(gid, std::string("hasten ") + gid);
      test.settle();
      CHECK(test.answers.at(std::string("hasten ") + gid).has_value());
    }
    CHECK(test.ports.targets == Calls{"a", "a", "b"});
    CHECK(test.engine.counters().live == 3);
    CHECK(test.engine.counters().succeeded == 1);
    test.hasten("retries", "again");
    test.settle();
    CHECK(test.ports.targets.size() == 4);
  }

  TEST_CASE("a back-check is not asked before its deadline, and its retries may come sooner") {
    Operated test;
    test.ports.outcomes.insert_or_assign("did it", Outcome::unknown("down"));
    REQUIRE(test.prepare(Msg("g").to("c").query("did it").timeout_to_fail(Millis{60'000}), "g"));
    test.settle();
    test.hasten("g", "too early");
    test.settle();
    CHECK(test.ports.targets.empty());
    CHECK(test.hasten_all(0, 10)->count == 0);
    test.advance(60'000);
    test.settle();
    CHECK(test.ports.targets == Calls{"did it"});
    test.hasten("g", "again");
    test.settle();
    CHECK(test.ports.targets == Calls{"did it", "did it"});
  }

  TEST_CASE("a call in flight and a parked branch stay as they are when hastened") {
    Operated test;
    test.ports.default_kind = Kind::deferred;
    test.ports.kinds["b"] = Kind::unregistered;
    REQUIRE(test.submit(Saga("g").step("a", "").step("b", "").concurrent(), "run", false));
    test.settle();
    test.hasten("g", "hasten");
    test.settle();
    CHECK(test.ports.targets == Calls{"a"});
    CHECK(test.answers.at("hasten")->status() == Status::submitted);
  }

  TEST_CASE("all that wait for longer are hastened, up to a limit, and more is told") {
    Operated test;
    test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
    test.ports.outcomes.insert_or_assign("b", Outcome::ongoing("soon"));
    Retry retry;
    retry.first_interval = Millis{60'000};
    retry.jitter = 0;
    retry.multiplier = 1;
    retry.ongoing_interval = Millis{1'000};
    for (int i = 0; i < 10; ++i) {
      const auto number = std::to_string(i);
      REQUIRE(test.submit(one_step("long " + number).retry(retry), number, false));
      REQUIRE(test.submit(Saga("short " + number).step("b", "").retry(retry), number, false));
      REQUIRE(test.prepare(Tcc("no retry " + number).timeout_to_fail(Millis{90'000}), number));
    }
    test.settle();
    CHECK(test.ports.calls.size() == 20);
    auto woken = test.hasten_all(30'000, 4);
    REQUIRE(woken);
    CHECK(woken->count == 4);
    CHECK(woken->more);
    test.settle();
    CHECK(test.ports.calls.size() == 24);
    woken = test.hasten_all(30'000, 10);
    CHECK(woken->count == 10);
    CHECK_FALSE(woken->more);
    test.settle();
    CHECK(test.ports.calls.size() == 34);
    woken = test.hasten_all(60'000, 10);
    CHECK(woken->count == 0);
    CHECK_FALSE(woken->more);
    woken = test.hasten_all(0, 100);
    CHECK(woken->count == 20);
  }

  TEST_CASE("hastening many takes several turns, and a close in between is told") {
    Operated test;
    test.ports.default_kind = Kind::deferred;
    constexpr std::size_t kMany = 2'500;
    for (std::size_t i = 0; i < kMany; ++i) {
      REQUIRE(test.submit(Saga("g" + std::to_string(i)).step("a", "").delay(Millis{60'000}), "",
                          false));
      test.settle();
    }
    CHECK(test.ports.calls.empty());
    CHECK_FALSE(test.hasten_all(0, kMany - 1));
    CHECK(test.ports.alarm_at <= test.ports.monotonic);
    test.settle();
    test.engine.turn();
    test.engine.turn();
    test.settle();
    CHECK(test.ports.calls.size() == kMany - 1);
    REQUIRE(test.woken);
    CHECK(test.woken->count == kMany - 1);
    CHECK(test.woken->more);
    std::optional<ErrorCode> code;
    REQUIRE(test.engine.ask(engine::HastenRequest{0, 5, [&](const Result<Woken>& result) {
                                                    code =
                                                        result ? ErrorCode{} : result.error().code;
                                                  }}));
    REQUIRE(test.engine.ask(engine::CloseRequest{[](const Result<>&) {}}));
    test.engine.turn();
    CHECK(code == ErrorCode::closed);
  }
}

}  // namespace belay::test
