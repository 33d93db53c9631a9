// Workflows: prepared, their steps remembered, called back until their owner says how they ended.
#include <doctest/doctest.h>

#include "engine_fixture.h"

namespace belay::test {
namespace {

using Calls = std::vector<std::string>;

Retry without_jitter() {
  Retry retry;
  retry.first_interval = Millis{1'000};
  retry.ongoing_interval = Millis{700};
  retry.jitter = 0.0;
  return retry;
}

Workflow flow(const std::string& gid, std::string_view target = "owner") {
  return Workflow(gid).callback(target, "order", "input").retry(without_jitter());
}

const Progress kStep{"01", "action", "succeed", "data"};
const WorkflowEnd kSucceeded{.status = Status::succeed, .result = "42"};
const WorkflowEnd kFailed{.status = Status::failed, .reason = "no funds"};

// A finished transaction, as the disk knows it.
ports::StoredSummary stored(Mode mode) {
  ports::StoredSummary summary;
  summary.mode = mode;
  summary.status = Status::succeed;
  return summary;
}

// A workflow "g", prepared and on disk.
struct Begun : TestEngine {
  explicit Begun(Options wanted = {}, std::string_view target = "owner") : TestEngine(wanted) {
    REQUIRE(prepare(flow("g", target), "prepare"));
    settle();
    REQUIRE(answers.at("prepare")->status() == Status::prepared);
  }
  std::size_t live() const { return engine.counters().live; }
};

}  // namespace

TEST_SUITE("engine/workflow") {
  TEST_CASE("its owner is called back after the first interval and for as long as it is open") {
    Begun test;
    test.advance(999);
    test.settle();
    CHECK(test.ports.calls.empty());
    test.advance(1);
    CHECK(test.ports.calls == Calls{"00 query"});
    test.settle();
    test.advance(699);  // it answered success: the ongoing interval
    CHECK(test.ports.calls.size() == 1);
    test.advance(1);
    CHECK(test.ports.calls.size() == 2);
    test.settle();
    REQUIRE(test.finish("g", kSucceeded, "end"));
    test.settle();
    CHECK(test.answers.at("end")->status() == Status::succeed);
    test.advance(10'000);
    CHECK(test.ports.calls.size() == 2);
    CHECK(test.engine.counters().succeeded == 1);
    CHECK(test.live() == 0);
  }

  TEST_CASE("calls that are refused or lost are repeated with growing waits, and show as stuck") {
    Begun test;
    test.ports.outcomes.insert_or_assign("owner", Outcome::failure("not me"));
    for (const auto wait : {1'000u, 1'000u, 2'000u}) {
      CHECK(test.engine.counters().stuck == 0);
      test.advance(wait - 1);
      const auto before = test.ports.calls.size();
      test.advance(1);
      CHECK(test.ports.calls.size() == before + 1);
      test.settle();
    }
    test.advance(0);
    CHECK(test.engine.counters().stuck == 1);
    REQUIRE(test.progress("g", kStep, "step"));
    REQUIRE(test.finish("g", kFailed, "end"));
    test.settle();
    CHECK(test.changed.at("step"));
    CHECK(test.answers.at("end")->reason() == "no funds");
    CHECK(test.engine.counters().stuck == 0);
  }

  TEST_CASE("a workflow without a callback waits for its owner alone") {
    Begun test({}, "");
    test.advance(1'000'000);
    test.settle();
    CHECK(test.ports.calls.empty());
    REQUIRE(test.finish("g", kFailed, "end"));
    test.settle();
    CHECK(test.answers.at("end")->status() == Status::failed);
  }

  TEST_CASE("an owner whose name is unknown is called when it is registered") {
    Begun test;
    test.ports.kinds["owner"] = ports::Caller::Kind::unregistered;
    test.advance(1'000);
    test.settle();
    test.advance(0);
    CHECK(test.engine.counters().stuck == 1);
    test.ports.kinds["owner"] = ports::Caller::Kind::immediate;
    REQUIRE(test.engine.ask(engine::RegisteredRequest{"owner"}));
    test.engine.turn();
    CHECK(test.ports.calls == Calls{"00 query"});
  }

  TEST_CASE("a step and the end are answered when they are on disk") {
    Begun test;
    REQUIRE(test.progress("g", kStep, "step"));
    CHECK(test.answered["step"] == 0);
    REQUIRE(test.refuse_commit());
    CHECK(test.answered["step"] == 0);
    test.advance(1'000);
    REQUIRE(test.commit());
    CHECK(test.answered["step"] == 1);
    CHECK(test.changed.at("step"));
    test.settle();
    REQUIRE(test.finish("g", kSucceeded, "end"));
    CHECK(test.answered["end"] == 0);
    REQUIRE(test.commit());
    CHECK(test.answered["end"] == 1);
    CHECK(test.answers.at("end")->finished());
  }

  TEST_CASE("a step that is remembered already is a conflict, also before it is on disk") {
    Begun test;
    REQUIRE(test.progress("g", kStep, "first"));
    REQUIRE(test.progress("g", {"01", "action", "failed", ""}, "again"));
    CHECK(test.error_of("again") == ErrorCode::conflict);
    REQUIRE(test.progress("g", {"01", "rollback", "succeed"}, "other op"));
    REQUIRE(test.progress("g", {"02", "action", "succeed"}, "other branch"));
    test.settle();
    for (const char* name : {"first", "other op", "other branch"}) CHECK(test.changed.at(name));
  }

  TEST_CASE("its end from within the callback does not wait for that call") {
    Begun test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    test.advance(1'000);
    REQUIRE(test.ports.later.size() == 1);
    REQUIRE(test.finish("g", kSucceeded, "end"));
    REQUIRE(test.commit());
    CHECK(test.answers.at("end")->status() == Status::succeed);
    const auto records = test.engine.counters().records;
    SUBCASE("it comes back before the row is written") {
      test.engine.answer(test.ports.later[0], Outcome::failure("too late"));
    }
    SUBCASE("it comes back after the row is written") {
      test.advance(2'000);
      test.settle();
      test.engine.answer(test.ports.later[0], Outcome::success());
    }
    SUBCASE("it never comes back") {
      test.advance(2'000);
      test.settle();
      test.advance(1'500);
    }
    test.advance(2'000);
    test.settle();
    CHECK(test.engine.counters().records == records);
    CHECK(test.engine.counters().calls_in_flight == 0);
    test.on_disk["g"] = stored(Mode::workflow);
    REQUIRE(test.finish("g", kSucceeded, "from disk"));
    CHECK(test.ports.looked_up == std::vector<std::string>{"g"});  // it left memory
    CHECK(test.answers.at("from disk")->succeeded());
    bool closed = false;
    REQUIRE(test.engine.ask(
        engine::CloseRequest{[&](const Result<>& result) { closed = result.has_value(); }}));
    test.engine.turn();
    test.settle();
    CHECK(closed);
  }

  TEST_CASE("an end that overtakes a call which was not made yet makes it void") {
    Options options;
    options.limits.calls_in_flight_max = 1;
    SUBCASE("history is kept") {}
    SUBCASE("history is not kept") { options.history = History::none; }
    Begun test(options);
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.prepare(flow("other"), "other"));
    test.settle();
    test.advance(1'000);
    test.settle();
    REQUIRE(test.ports.later.size() == 1);  // the other one waits for its place
    REQUIRE(test.finish("g", kSucceeded, "end g"));
    REQUIRE(test.finish("other", kFailed, "end other"));
    test.settle();
    test.advance(5'000);  // the call that is out is given up
    test.settle();
    CHECK(test.ports.later.size() == 1);
    CHECK(test.live() == 0);
    CHECK(test.engine.counters().calls_waiting == 0);
  }

  TEST_CASE("after the end nothing is remembered, and the end is not another one") {
    Begun test;
    REQUIRE(test.finish("g", kSucceeded, "end"));
    REQUIRE(test.finish("g", kSucceeded, "again"));
    REQUIRE(test.finish("g", kFailed, "other"));
    REQUIRE(test.progress("g", kStep, "late"));
    CHECK(test.error_of("other") == ErrorCode::forbidden);
    CHECK(test.error_of("late") == ErrorCode::forbidden);
    test.settle();
    CHECK(test.answers.at("again")->status() == Status::succeed);
    test.advance(2'000);
    test.settle();
    test.on_disk["g"] = stored(Mode::workflow);
    test.on_disk["saga"] = stored(Mode::saga);
    REQUIRE(test.finish("g", kSucceeded, "later"));
    REQUIRE(test.finish("g", kFailed, "later other"));
    REQUIRE(test.progress("g", kStep, "later step"));
    REQUIRE(test.finish("saga", kSucceeded, "saga"));
    REQUIRE(test.finish("none", kSucceeded, "none"));
    REQUIRE(test.progress("none", kStep, "no step"));
    CHECK(test.answers.at("later")->status() == Status::succeed);
    CHECK(test.error_of("later other") == ErrorCode::forbidden);
    CHECK(test.error_of("later step") == ErrorCode::forbidden);
    CHECK(test.error_of("saga") == ErrorCode::forbidden);
    CHECK(test.error_of("none") == ErrorCode::not_found);
    CHECK(test.error_of("no step") == ErrorCode::not_found);
  }

  TEST_CASE("what is no workflow takes neither steps nor ends, and a workflow no other words") {
    Begun test;
    REQUIRE(test.prepare(Tcc("t"), "tcc"));
    REQUIRE(test.progress("t", kStep, "step"));
    REQUIRE(test.finish("t", kSucceeded, "end"));
    REQUIRE(test.submit_word("g", "submit"));
    REQUIRE(test.abort_word("g", "abort"));
    REQUIRE(test.branch("g", {"a", "b", "c"}, "branch"));
    for (const char* name : {"step", "end", "submit", "abort", "branch"})
      CHECK(test.error_of(name) == ErrorCode::forbidden);
    CHECK(test.submit(flow("s"), "submitted").error().code == ErrorCode::invalid_argument);
  }

  TEST_CASE("prepared again it is the same one, with another definition a conflict") {
    Begun test;
    REQUIRE(test.prepare(flow("g"), "again"));
    CHECK(test.answers.at("again")->status() == Status::prepared);
    REQUIRE(test.prepare(flow("g", "other"), "other"));
    CHECK(test.error_of("other") == ErrorCode::conflict);
    REQUIRE(test.finish("g", kSucceeded, "end"));
    REQUIRE(test.prepare(flow("g"), "ended"));
    test.settle();
    CHECK(test.answers.at("ended")->status() == Status::succeed);
  }

  TEST_CASE("the limits are named with the field, at both sides of the bound") {
    Options options;
    options.limits.branches_max = 2;
    options.limits.payload_bytes_max = 10;
    options.limits.definition_bytes_max = 150;
    Begun test(options);
    const auto code = [&](const Progress& step) {
      const auto result = test.progress("g", step, "x");
      return result ? std::nullopt : std::optional(result.error().code);
    };
    CHECK(code({"", "op", "s"}) == ErrorCode::invalid_argument);
    CHECK(code({"b", "", "s"}) == ErrorCode::invalid_argument);
    CHECK(code({"b", "op", ""}) == ErrorCode::invalid_argument);
    CHECK(code({std::string(129, 'b'), "op", "s"}) == ErrorCode::invalid_argument);
    CHECK(code({"b", std::string(46, 'o'), "s"}) == ErrorCode::invalid_argument);
    CHECK(code({"b", "op", std::string(46, 's')}) == ErrorCode::invalid_argument);
    CHECK(code({"b\n", "op", "s"}) == ErrorCode::invalid_argument);
    CHECK(code({"b\xff", "op", "s"}) == ErrorCode::invalid_argument);
    CHECK(code({"b", "op", "s", std::string(11, 'd')}) == ErrorCode::payload_limit);
    CHECK(test.finish("g", {.result = std::string(11, 'r')}, "x").error().code ==
          ErrorCode::payload_limit);
    CHECK(test.finish("g", {.status = Status::aborting}, "x").error().code ==
          ErrorCode::invalid_argument);
    REQUIRE(test.progress("g", {std::string(100, 'b'), "op", "s"}, "large"));
    CHECK(test.error_of("large") == ErrorCode::definition_limit);
    REQUIRE(test.progress("g", {"1", "op", "s", std::string(10, 'd')}, "first"));
    REQUIRE(test.progress("g", {"2", "op", "s"}, "second"));
    REQUIRE(test.progress("g", {"3", "op", "s"}, "third"));
    CHECK(test.error_of("third") == ErrorCode::branches_limit);
    REQUIRE(test.finish("g", {.result = std::string(10, 'r')}, "end"));
    test.settle();
    CHECK(test.changed.at("first"));
    CHECK(test.changed.at("second"));
    CHECK(test.answers.at("end")->succeeded());
    CHECK(test.prepare(Workflow("n").callback("t", ""), "x").error().code ==
          ErrorCode::invalid_argument);
    CHECK(test.prepare(Workflow("n").callback("t", std::string(129, 'n')), "x").error().code ==
          ErrorCode::invalid_argument);
  }

  TEST_CASE("a disk that refuses for long leaves a step unknown, not confirmed") {
    Begun test;
    REQUIRE(test.progress("g", kStep, "step"));
    for (int second = 0; second < 12; ++second) {
      test.refuse_commit();
      test.advance(1'000);
    }
    CHECK(test.error_of("step") == ErrorCode::commit_unknown);
    CHECK(test.answered["step"] == 1);
  }
}

}  // namespace belay::test
