// What one batch takes, and that nothing is lost of what it does not take.
#include <doctest/doctest.h>

#include <algorithm>

#include "core/codec.h"
#include "engine/commit_cost.h"
#include "engine_fixture.h"

namespace belay::test {
namespace {

constexpr std::size_t kShareBytes = engine::BatchLimits{}.bytes;

Options kept_nowhere() {
  Options options;
  options.history = History::none;
  return options;
}

std::uint32_t records_in(const ports::Batch& batch) {
  return batch.lsn == 0 ? 0 : core::BatchReader::open(batch.records)->count();
}

// Commits until nothing is left to do; what the largest batches had.
struct Largest {
  std::size_t bytes = 0;
  std::uint32_t records = 0;
  std::size_t commits = 0;
};
Largest settle_and_look(TestEngine& test) {
  Largest largest;
  test.engine.turn();
  test.answer_lookup();
  while (test.ports.commit_done || test.ports.alarm_at <= test.ports.monotonic) {
    if (!test.ports.commit_done) {
      test.engine.turn();
      test.answer_lookup();
      continue;
    }
    largest.bytes = std::max(largest.bytes, test.ports.committing->records.size());
    largest.records = std::max(largest.records, records_in(*test.ports.committing));
    ++largest.commits;
    test.commit();
    test.answer_lookup();
  }
  return largest;
}

// Handed in, and looked at by nobody yet.
void hand_in(TestEngine& test, Description description, const std::string& name,
             bool gid_is_new = true) {
  const auto& gid = core::draft_of(description).settings->gid;
  auto bytes = encode(description, gid, test.options.limits, core::Entry::submit);
  REQUIRE(bytes);
  REQUIRE(test.engine.ask(engine::SubmitRequest{*core::Definition::parse(std::move(*bytes)),
                                                core::Entry::submit, gid_is_new, true,
                                                test.answer(name)}));
}

}  // namespace

TEST_SUITE("engine/commit_cost") {
  TEST_CASE("what a commit costs with nothing in it is told from commits of two sizes") {
    engine::CommitCost cost;
    CHECK(cost.fixed_us() == 0);
    for (int i = 0; i < 20; ++i) cost.add(100'000, 700);
    CHECK(cost.fixed_us() == 0);  // all of one size
    for (int i = 0; i < 20; ++i) cost.add(20'000, 300);
    CHECK(cost.fixed_us() == doctest::Approx(200));
    for (int i = 0; i < 1'000; ++i) cost.add(i % 2 == 0 ? 20'000 : 100'000, i % 2 == 0 ? 500 : 900);
    CHECK(cost.fixed_us() == doctest::Approx(400).epsilon(0.01));  // older ones count less
  }

  TEST_CASE("a store without a clock, and one to which more is cheaper, cost nothing") {
    engine::CommitCost none;
    engine::CommitCost odd;
    for (std::size_t i = 1; i < 20; ++i) {
      none.add(i * 1'000, 0);
      odd.add(i * 1'000, i * i);
    }
    CHECK(none.fixed_us() == 0);
    CHECK(odd.fixed_us() == 0);
  }
}

TEST_SUITE("engine/budget") {
  TEST_CASE("more requests than a turn takes: those that come meanwhile are not forgotten") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "g"));
    test.settle();
    for (int i = 0; i < 4'097; ++i)
      REQUIRE(test.engine.ask(engine::FindRequest::find("g", test.answer("many"))));
    test.engine.turn();
    REQUIRE(test.answered["many"] == 4'096);
    REQUIRE(test.engine.ask(engine::FindRequest::find("g", test.answer("late"))));
    test.ports.woken = false;
    test.engine.turn();  // the wake-up that both of them have
    CHECK(test.answered["many"] == 4'097);
    const bool will_be =
        test.ports.woken || test.ports.alarm_at <= test.ports.monotonic || test.ports.commit_done;
    CHECK((test.answered["late"] == 1 || will_be));
    settle_and_look(test);
    CHECK(test.answered["late"] == 1);
  }

  TEST_CASE("a handler that comes: those who waited for it go on a part at a time") {
    TestEngine test(kept_nowhere());
    test.ports.default_kind = ports::Caller::Kind::unregistered;
    for (int i = 0; i < 3'000; ++i) hand_in(test, Saga(std::to_string(i)).step("a", ""), "any");
    settle_and_look(test);
    REQUIRE(test.engine.counters().stuck == 3'000);
    test.ports.default_kind = ports::Caller::Kind::immediate;
    REQUIRE(test.engine.ask(engine::RegisteredRequest{"a"}));
    test.engine.turn();
    CHECK(test.ports.calls.size() == 1'024);
    CHECK(test.ports.alarm_at <= test.ports.monotonic);
    settle_and_look(test);
    CHECK(test.ports.calls.size() == 3'000);
    CHECK(test.answered["any"] == 3'000);
  }

  TEST_CASE("one that ended while it was to go on is not looked at again") {
    TestEngine test(kept_nowhere(), {.epoch = 1}, {.records = 1});
    test.ports.default_kind = ports::Caller::Kind::unregistered;
    for (const auto* gid : {"g1", "g2", "g3"})
      hand_in(test, Saga(gid).step("a", "").timeout_to_fail(Millis(1'000)), gid);
    settle_and_look(test);
    test.ports.default_kind = ports::Caller::Kind::immediate;
    REQUIRE(test.engine.ask(engine::RegisteredRequest{"a"}));
    test.engine.turn();
    REQUIRE(test.ports.calls.size() < 3);
    test.advance(1'000);
    settle_and_look(test);
    for (const auto* gid : {"g1", "g2", "g3"}) CHECK(test.answered[gid] == 1);
    CHECK(test.engine.counters().live == 0);
  }

  TEST_CASE("messages to many subscribers: a batch passes its share by one of them at the most") {
    TestEngine test(kept_nowhere());
    test.ports.default_kind = ports::Caller::Kind::deferred;
    for (int i = 0; i < 999; ++i) {
      const auto target = std::to_string(i) + std::string(1'000, 't');
      REQUIRE(test.engine.ask(engine::TopicRequest{{{"all", target, ""}, TopicKind::subscribe},
                                                   [](const Result<>&) {}}));
    }
    settle_and_look(test);
    for (int i = 0; i < 40; ++i) {
      Msg message(std::to_string(i));
      message.to("topic://all", "{}").concurrent();
      hand_in(test, message, "any");
    }
    const auto largest = settle_and_look(test);
    CHECK(largest.bytes < kShareBytes + 1'200'000);
    CHECK(largest.commits >= 7);
    CHECK(test.engine.counters().submitted == 40);
    CHECK(test.engine.counters().calls == test.options.limits.calls_in_flight_max);
  }

  TEST_CASE("definitions of 8 MB: each has a batch of its own, and all are taken") {
    TestEngine test(kept_nowhere());
    const std::string payload(1'000'000, 'x');
    Saga saga("g");
    for (int i = 0; i < 8; ++i) saga.step("a", "", payload);
    for (int i = 0; i < 8; ++i) {
      auto bytes = encode(saga, std::to_string(i), test.options.limits, core::Entry::submit);
      REQUIRE(bytes);
      REQUIRE(test.engine.ask(engine::SubmitRequest{*core::Definition::parse(std::move(*bytes)),
                                                    core::Entry::submit, true, true,
                                                    test.answer("any")}));
    }
    CHECK(settle_and_look(test).bytes < kShareBytes + 8'100'000);
    CHECK(test.answered["any"] == 8);
  }

  TEST_CASE("each share is kept: requests, answers, what is due") {
    TestEngine test(kept_nowhere(), {.epoch = 1}, {.records = 10});
    test.ports.default_kind = ports::Caller::Kind::deferred;
    for (int i = 0; i < 100; ++i)
      hand_in(test, Saga(std::to_string(i)).step("a", "").delay(Millis(1'000)), "any");
    CHECK(settle_and_look(test).records <= 10);
    test.advance(1'000);
    const auto due = settle_and_look(test);
    CHECK(due.records <= 20);  // started; and the answers that there are none of
    CHECK(due.commits >= 10);
    REQUIRE(test.ports.later.size() == 100);
    for (const auto call : test.ports.later) test.engine.answer(call, Outcome::success());
    CHECK(test.engine.counters().succeeded == 0);
    CHECK(settle_and_look(test).records <= 20);
    CHECK(test.engine.counters().succeeded == 100);
    CHECK(test.answered["any"] == 100);
  }

  TEST_CASE("an answer that has to wait is still a call in flight, and is heard once") {
    TestEngine test({}, {.epoch = 1}, {.records = 1});
    test.ports.default_kind = ports::Caller::Kind::deferred;
    hand_in(test, two_steps("g1"), "g1");
    hand_in(test, two_steps("g2"), "g2");
    settle_and_look(test);
    REQUIRE(test.ports.later.size() == 2);
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    REQUIRE(test.ports.commit_done);
    test.engine.answer(test.ports.later[1], Outcome::failure("no"));
    test.engine.answer(test.ports.later[1], Outcome::success());
    test.engine.turn();
    test.advance(10'000);  // its time is up only now
    test.ports.default_kind = ports::Caller::Kind::immediate;
    settle_and_look(test);
    CHECK(test.answers.at("g2")->reason() == "branch 01 (a): no");
  }

  TEST_CASE("a gid that waits for room is begun once, however many ask for it") {
    TestEngine test(kept_nowhere(), {.epoch = 1}, {.records = 1});
    for (const auto* gid : {"x", "g", "y"}) hand_in(test, two_steps(gid), gid, gid[0] == 'y');
    hand_in(test, two_steps("g"), "again", false);
    test.engine.turn();
    test.answer_lookup();
    hand_in(test, two_steps("g"), "later", false);
    settle_and_look(test);
    CHECK(test.answered["g"] + test.answered["again"] + test.answered["later"] == 3);
    CHECK(test.engine.counters().submitted == 3);
  }

  TEST_CASE("rows ride along by their bytes, too") {
    TestEngine test({}, {.epoch = 1}, {.row_bytes = 2'000'000});
    const std::string payload(1'000'000, 'x');
    for (int i = 0; i < 6; ++i)
      hand_in(test, Saga(std::to_string(i)).step("a", "", payload), "any");
    settle_and_look(test);
    test.advance(1'000);
    std::size_t most = 0;
    std::size_t rows = 0;
    while (test.ports.commit_done) {
      most = std::max(most, test.ports.committing->rows.size());
      rows += test.ports.committing->rows.size();
      test.commit();
      test.engine.turn();
    }
    CHECK(most == 2);
    CHECK(rows == 6);
  }
}

}  // namespace belay::test
