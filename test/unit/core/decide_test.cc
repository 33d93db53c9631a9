// What the histories do not look at: the words, the numbers, and large sagas.
#include "core/decide.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/apply.h"
#include "core/decision.h"
#include "core/shortened.h"
#include "unit/core/samples.h"

namespace belay::test {
namespace {

using core::EffectKind;

struct Run {
  explicit Run(const Saga& saga) {
    const auto definition = encoded(saga);
    auto begun =
        core::begin({.kind = core::RecordKind::submitted, .id = 7, .at = now, .text = definition});
    REQUIRE(begun.has_value());
    transaction = *std::move(begun);
    decide(core::Begun{});
  }
  void decide(const core::Event& event) {
    core::decide(transaction, event, {.now = now, .random = random, .options = &options}, step);
  }
  void answer(std::uint32_t branch, Op op, const Outcome& outcome) {
    decide(core::Answered{branch, op, &outcome});
  }

  Options options;
  std::uint64_t now = 1'000'000;
  std::uint64_t random = 1ull << 63;  // the middle: no jitter
  core::Transaction transaction;
  core::Step step;
};

Saga transfer() {
  Saga saga("g");
  saga.step("bank.debit", "bank.undo").step("bank.credit", "");
  return saga;
}

Saga many(std::uint32_t count) {
  Saga saga("g");
  for (std::uint32_t i = 0; i < count; ++i) saga.step("a", "b");
  return saga;
}

// Every call that is out succeeds, or the last one says no, until nothing is out. How many calls
// there were.
std::size_t run_through(Run& run, bool last_refuses) {
  std::vector<core::Effect> out = run.step.effects;
  std::size_t calls = 0;
  while (!out.empty()) {
    const auto effect = out.back();
    out.pop_back();
    if (effect.kind != EffectKind::call) continue;
    ++calls;
    const bool refuses = last_refuses && effect.op == Op::action &&
                         effect.branch + 1 == run.transaction.branches.size();
    run.answer(effect.branch, effect.op, refuses ? Outcome::failure("no") : Outcome::success());
    out.insert(out.end(), run.step.effects.begin(), run.step.effects.end());
  }
  return calls;
}

}  // namespace

TEST_SUITE("core/decide") {
  TEST_CASE("the reason names the branch, its target and what it said") {
    Run run(transfer());
    run.answer(0, Op::action, Outcome::success());
    run.answer(1, Op::action, Outcome::failure("account closed"));
    CHECK(core::reason_of(run.transaction) == "branch 02 (bank.credit): account closed");
    CHECK(core::describe_branch(run.transaction, 0, Op::compensate, "") == "branch 01 (bank.undo)");
  }

  TEST_CASE(
      "the reason of a deadline names the time, that of a limit the calls and the last error") {
    Run late(transfer().timeout_to_fail(Millis{500}));
    late.now += 700;
    late.decide(core::Due{});
    CHECK(core::reason_of(late.transaction) == "timeout after 500 ms");
    Run tired(transfer().retry({.limit = 2}));
    tired.answer(0, Op::action, Outcome::unknown("HTTP 502"));
    CHECK(core::reason_of(tired.transaction) == "HTTP 502");
    tired.now = core::next_due(tired.transaction);
    tired.decide(core::Due{});
    tired.answer(0, Op::action, Outcome::unknown("HTTP 503"));
    CHECK(core::reason_of(tired.transaction) ==
          "branch 01 (bank.debit): no answer after 2 calls; the last: HTTP 503");
  }

  TEST_CASE(
      "a reason is cut where the outcome's contract says, in the branch and in the transaction") {
    Run run(transfer());
    run.answer(0, Op::action, Outcome::failure(std::string(5000, 'x')));
    CHECK(run.transaction.branches[0].last_error == nullptr);  // its undo has begun
    CHECK(run.transaction.reason->size() == core::kReasonBytesMax);
    run.answer(0, Op::compensate, Outcome::unknown(std::string(5000, 'y')));
    CHECK(run.transaction.branches[0].last_error->size() == core::kReasonBytesMax);
  }

  TEST_CASE("a missing handler is named, recorded once, and not counted as an attempt") {
    Run run(transfer());
    run.decide(core::Unregistered{0, Op::action});
    REQUIRE(run.step.records.size() == 1);
    CHECK(core::reason_of(run.transaction) == "no handler named 'bank.debit' is registered");
    run.decide(core::Registered{0});
    REQUIRE(run.step.effects.size() == 1);
    run.decide(core::Unregistered{0, Op::action});
    CHECK(run.step.records.empty());
    CHECK(core::attempts_of(run.transaction) == 0);
  }

  TEST_CASE("a retry uses the step's policy, else the transaction's, else the engine's") {
    const Retry engine{.first_interval = Millis{100}, .jitter = 0.0};
    const Retry whole{.first_interval = Millis{200}, .jitter = 0.0};
    const Retry own{.first_interval = Millis{300}, .jitter = 0.0};
    const auto wait = [&](const Saga& saga) {
      Run run(saga);
      run.options.retry = engine;
      run.answer(0, Op::action, Outcome::unknown("lost"));
      return core::next_due(run.transaction) - run.now;
    };
    CHECK(wait(Saga("g").step("a", "b")) == 100);
    CHECK(wait(Saga("g").step("a", "b").retry(whole)) == 200);
    CHECK(wait(Saga("g").step("a", "b", "", {.retry = own}).retry(whole)) == 300);
  }

  TEST_CASE("after an ongoing answer the interval is fixed, and back-off begins anew") {
    Run run(Saga("g").step("a", "b").retry(
        {.first_interval = Millis{100}, .ongoing_interval = Millis{7}}));
    const auto wait_after = [&run](const Outcome& outcome) {
      run.answer(0, Op::action, outcome);
      const auto wait = core::next_due(run.transaction) - run.now;
      run.now += wait;
      run.decide(core::Due{});
      REQUIRE(run.step.effects.size() == 1);
      return wait;
    };
    CHECK(wait_after(Outcome::unknown("lost")) == 100);
    CHECK(wait_after(Outcome::unknown("lost")) == 200);
    CHECK(wait_after(Outcome::ongoing()) == 7);
    CHECK(wait_after(Outcome::ongoing()) == 7);
    CHECK(wait_after(Outcome::unknown("lost")) == 100);
  }

  TEST_CASE("a pause that an answer asks for counts between the back-off and its maximum") {
    const Retry retry{.first_interval = Millis{1'000},
                      .interval_max = Millis{60'000},
                      .jitter = 0,
                      .ongoing_interval = Millis{2'000}};
    const auto pause = [&](const Outcome& outcome, Op op = Op::action) {
      Run run(transfer().retry(retry));
      if (op == Op::compensate) {
        run.answer(0, Op::action, Outcome::success());
        run.answer(1, Op::action, Outcome::failure("no"));
      }
      run.answer(0, op, outcome);
      return core::next_due(run.transaction) - run.now;
    };
    using O = Outcome;
    CHECK(pause(O::unknown("x")) == 1'000);
    CHECK(pause(O::unknown("x").retry_after(Millis{999})) == 1'000);
    CHECK(pause(O::unknown("x").retry_after(Millis{1'001})) == 1'001);
    CHECK(pause(O::unknown("x").retry_after(Millis{60'001})) == 60'000);
    CHECK(pause(O::unknown("x").retry_after(Millis::max())) == 60'000);
    CHECK(pause(O::unknown("x").retry_after(Millis::min())) == 1'000);
    CHECK(pause(O::ongoing().retry_after(Millis{30'000})) == 30'000);
    CHECK(pause(O::ongoing().retry_after(Millis{1})) == 2'000);
    CHECK(pause(O::failure("x").retry_after(Millis{30'000}), Op::compensate) == 30'000);
    CHECK(pause(core::shortened(O::unknown(std::string(5'000, 'x')).retry_after(Millis{7'000}))) ==
          7'000);
  }

  TEST_CASE("jitter is drawn from the context's random number") {
    const auto wait = [](std::uint64_t random) {
      Run run(Saga("g").step("a", "b").retry({.first_interval = Millis{100}, .jitter = 0.5}));
      run.random = random;
      run.answer(0, Op::action, Outcome::unknown("lost"));
      return core::next_due(run.transaction) - run.now;
    };
    CHECK(wait(0) == 50);
    CHECK(wait(~0ull) >= 149);
  }

  TEST_CASE("a thousand steps run through in every shape, forward and back") {
    for (int shape = 0; shape < 3; ++shape) {
      for (const bool refuses : {false, true}) {
        auto saga = many(1000);
        if (shape == 1) saga.concurrent();
        if (shape == 2) saga.order(1000, {1, 999}).order(500, {1});
        Run run(saga);
        const auto calls = run_through(run, refuses);
        CAPTURE(shape);
        CAPTURE(refuses);
        CHECK(run.transaction.status == (refuses ? Status::failed : Status::succeed));
        CHECK(calls >= 1000);
        CHECK(calls <= 2000);
      }
    }
  }

  TEST_CASE("a thousand steps without targets are over in the submit's own step") {
    for (int shape = 0; shape < 3; ++shape) {
      Saga saga("g");
      for (int i = 0; i < 1000; ++i) saga.step("", "");
      if (shape == 1) saga.concurrent();
      for (std::uint32_t i = 1; shape == 2 && i < 1000; ++i)
        saga.order(i, {i + 1});  // the last step goes first
      Run run(saga);
      CHECK(run.transaction.status == Status::succeed);
      REQUIRE(run.step.effects.size() == 1);
      CHECK(run.step.effects[0].kind == EffectKind::finished);
    }
  }
}

}  // namespace belay::test
