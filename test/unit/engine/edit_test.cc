// An operator changes what a branch is called with, and holds what is called.
#include <doctest/doctest.h>

#include "belay/workflow.h"
#include "core/apply.h"
#include "core/edit.h"
#include "engine_fixture.h"

namespace belay::test {
namespace {

using Calls = std::vector<std::string>;
using Kind = ports::Caller::Kind;

struct Edited : TestEngine {
  using TestEngine::TestEngine;

  void edit(const std::string& branch_id, Op op, Changes changes, const std::string& name) {
    REQUIRE(engine.ask(
        engine::WordRequest{.gid = "g",
                            .word = engine::WordRequest::Word::edit,
                            .reason = "wrong price",
                            .done = answer(name),
                            .branch_id = branch_id,
                            .op = op,
                            .changes = std::make_shared<const Changes>(std::move(changes))}));
    engine.turn();
    answer_lookup();
  }
  void change_hold(const std::string& target, bool releases, const std::string& name) {
    REQUIRE(engine.ask(engine::HoldRequest{
        {{target, "moves", "ann"}, releases},
        [this, name](const Result<>& result) { changed.insert_or_assign(name, result); }}));
    engine.turn();
  }
  void hold(const std::string& target) { change_hold(target, false, "hold " + target); }
  void release(const std::string& target) { change_hold(target, true, "release " + target); }
  void answer_call(std::size_t index, const Outcome& outcome) {
    engine.answer(ports.later.at(index), outcome);
    engine.turn();
    settle();
  }
};

}  // namespace

TEST_SUITE("engine/edit") {
  TEST_CASE(
      "a branch that waits for its retry is called at once, with other values, once on disk") {
    Edited test;
    test.ports.outcomes.emplace("a", Outcome::unknown("HTTP 500"));
    REQUIRE(test.submit(Saga("g").step("a", "undo", "old"), "run"));
    test.settle();
    CHECK(test.ports.targets == Calls{"a"});
    test.edit("01", Op::action, {.target = "b", .payload = "new"}, "edit");
    CHECK(test.ports.targets == Calls{"a"});
    CHECK(test.answered["edit"] == 0);
    test.settle();
    CHECK(test.ports.targets == Calls{"a", "b"});
    CHECK(test.answers.at("edit").has_value());
    CHECK(test.answers.at("run")->status() == Status::succeed);
  }

  TEST_CASE("what is edited before it is called waits for its turn") {
    Edited test;
    test.ports.kinds["a"] = Kind::deferred;
    REQUIRE(test.submit(Saga("g").step("a", "").step("wrong", ""), "run"));
    test.settle();
    test.edit("02", Op::action, {.target = "right"}, "edit");
    test.settle();
    CHECK(test.ports.targets == Calls{"a"});
    test.answer_call(0, Outcome::success());
    CHECK(test.ports.targets == Calls{"a", "right"});
  }

  TEST_CASE(
      "a branch without a handler goes on with another name, and is not found by the old one") {
    Edited test;
    test.ports.kinds["gone"] = Kind::unregistered;
    test.ports.kinds["lost"] = Kind::unregistered;
    REQUIRE(test.submit(Saga("g").step("gone", "").step("lost", "").concurrent(), "run"));
    test.settle();
    CHECK(test.engine.counters().stuck == 1);
    test.edit("01", Op::action, {.target = "found"}, "edit");
    test.settle();
    CHECK(test.ports.targets == Calls{"found"});
    // The other branch still waits for its own name.
    test.ports.kinds["lost"] = Kind::immediate;
    REQUIRE(test.engine.ask(engine::RegisteredRequest{"gone"}));
    REQUIRE(test.engine.ask(engine::RegisteredRequest{"lost"}));
    test.engine.turn();
    test.settle();
    CHECK(test.ports.targets == Calls{"found", "lost"});
    CHECK(test.answers.at("run")->status() == Status::succeed);
  }

  TEST_CASE("a handler that is registered just before an edit of another branch is not missed") {
    Edited test;
    test.ports.kinds["lost"] = Kind::unregistered;
    test.ports.kinds["gone"] = Kind::unregistered;
    REQUIRE(test.submit(Saga("g").step("lost", "").step("gone", "").concurrent(), "run"));
    test.settle();
    test.ports.kinds["lost"] = Kind::immediate;
    REQUIRE(test.engine.ask(engine::RegisteredRequest{"lost"}));
    test.edit("02", Op::action, {.target = "here"}, "edit");
    test.settle();
    CHECK(test.answers.at("run")->status() == Status::succeed);
  }

  TEST_CASE("a workflow without a callback gets one, and is called back") {
    Edited test;
    REQUIRE(test.prepare(Workflow("g").callback("", "name", "input"), "run"));
    test.settle();
    test.edit("00", Op::query, {.target = "back"}, "edit");
    test.settle();
    CHECK(test.answers.at("edit").has_value());
    for (int i = 0; i < 20 && test.ports.targets.empty(); ++i) {
      test.advance(10'000);
      test.settle();
    }
    CHECK(test.ports.targets == Calls{"back"});
  }

  TEST_CASE("on an engine that makes no calls no deadline passes by an edit") {
    FakePorts ports;
    Options options;
    options.makes_calls = false;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    const auto bytes =
        *encode(Saga("g").step("a", "").timeout_to_fail(Millis{10}), "g", options.limits);
    engine.adopt(*core::begin({.kind = core::RecordKind::submitted,
                               .id = 5,
                               .at = ports.wall - 1'000,
                               .text = bytes}),
                 9, 9, false);
    engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2});
    std::optional<Result<Report>> told;
    REQUIRE(engine.ask(engine::WordRequest{
        .gid = "g",
        .word = engine::WordRequest::Word::edit,
        .reason = "why",
        .done = [&told](const Result<Report>& report) { told = report; },
        .branch_id = "01",
        .op = Op::action,
        .changes = std::make_shared<const Changes>(Changes{.payload = "new"})}));
    engine.turn();
    while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    REQUIRE(told.has_value());
    REQUIRE(told->has_value());
    CHECK((*told)->status() == Status::submitted);
  }

  TEST_CASE("a call that is out is not changed, one that waits for its host is taken back") {
    Edited test;
    test.ports.kinds["a"] = Kind::deferred;
    test.ports.kinds["down"] = Kind::deferred;
    test.ports.shut.insert('d');
    REQUIRE(test.submit(Saga("g").step("a", "").step("down", "").concurrent(), "run"));
    test.settle();
    test.edit("01", Op::action, {.payload = "new"}, "busy");
    CHECK(test.error_of("busy") == ErrorCode::busy);
    test.edit("02", Op::action, {.target = "up"}, "edit");
    test.settle();
    CHECK(test.ports.targets == Calls{"a", "up"});
    test.answer_call(0, Outcome::success());
    CHECK(test.answers.at("run")->status() == Status::succeed);
  }

  TEST_CASE("a late no to the values before an edit does not count, one to the new values does") {
    Options options;
    options.request_timeout = Millis{500};
    options.retry.first_interval = Millis{1'000};
    Edited test(options);
    test.ports.default_kind = Kind::blocking;
    REQUIRE(test.submit(Saga("g").step("a", ""), "run"));
    test.settle();
    const auto time_passes = [&] {
      test.advance(500);
      test.settle();
    };
    time_passes();
    test.edit("01", Op::action, {.payload = "new"}, "edit");
    test.settle();
    CHECK(test.ports.targets == Calls{"a"});  // its handler still runs
    test.answer_call(0, Outcome::failure("wrong price"));
    CHECK(test.ports.targets == Calls{"a", "a"});
    time_passes();
    test.answer_call(1, Outcome::failure("no seat"));
    CHECK(test.ports.targets == Calls{"a", "a"});
    CHECK(test.answers.at("run")->reason() == "branch 01 (a): no seat");
  }

  TEST_CASE("a branch with all the headers that a submit allows can be edited") {
    Edited test;
    test.ports.kinds["a"] = Kind::unregistered;
    StepOptions options;
    options.headers = {{"of-the-step", std::string(9'000, 'x')}};
    Saga saga("g");
    saga.header("of-the-transaction", std::string(9'000, 'x')).step("a", "", "", options);
    REQUIRE(test.submit(saga, "run", false));
    test.settle();
    test.edit("01", Op::action, {.payload = "new"}, "edit");
    test.settle();
    CHECK(test.answers.at("edit").has_value());
    test.edit("01", Op::action, {.headers = {{"more", std::string(15'000, 'x')}}}, "too many");
    CHECK(test.error_of("too many") == ErrorCode::invalid_argument);
  }

  TEST_CASE("what could not be called so is refused, whichever part of it changes") {
    Edited test;
    test.ports.kinds["a"] = Kind::unregistered;
    test.ports.uncallable = "a with new";
    REQUIRE(test.submit(Saga("g").step("a", "", "old"), "run", false));
    test.settle();
    test.edit("01", Op::action, {.payload = "new"}, "payload");
    CHECK(test.error_of("payload") == ErrorCode::unsupported);
    test.edit("01", Op::action, {.target = "b", .payload = "new"}, "both");
    test.settle();
    CHECK(test.answers.at("both").has_value());
  }

  TEST_CASE("what cannot be edited is refused, with the reason") {
    Edited test;
    test.ports.outcomes.emplace("b", Outcome::unknown("HTTP 500"));
    REQUIRE(test.submit(Saga("g").step("a", "undo a").step("b", "undo b"), "run"));
    test.settle();
    const std::string big(5'000'000, 'x');
    test.edit("01", Op::action, {.payload = "new"}, "succeeded");
    test.edit("03", Op::action, {.payload = "new"}, "no branch");
    test.edit("02", Op::try_, {.payload = "new"}, "no such op");
    test.edit("02", Op::action, {}, "nothing");
    test.edit("02", Op::action, {.target = ""}, "no target");
    test.edit("02", Op::action, {.target = std::string(2'000, 'x')}, "long target");
    test.edit("02", Op::action, {.payload = big}, "large payload");
    CHECK(test.error_of("succeeded") == ErrorCode::forbidden);
    CHECK(test.error_of("no branch") == ErrorCode::forbidden);
    CHECK(test.error_of("no such op") == ErrorCode::forbidden);
    CHECK(test.error_of("nothing") == ErrorCode::invalid_argument);
    CHECK(test.error_of("no target") == ErrorCode::invalid_argument);
    CHECK(test.error_of("long target") == ErrorCode::invalid_argument);
    CHECK(test.error_of("large payload") == ErrorCode::payload_limit);
    test.edit("01", Op::compensate, {.target = "undo better"}, "undo");
    test.settle();
    CHECK(test.answers.at("undo").has_value());
  }

  TEST_CASE("a transaction is edited a hundred times, and no more") {
    Edited test;
    test.ports.kinds["b"] = Kind::unregistered;
    REQUIRE(test.submit(Saga("g").step("b", ""), "run", false));
    test.settle();
    for (std::uint32_t i = 0; i < core::kEditsMax; ++i) {
      test.edit("01", Op::action, {.payload = "new"}, "edit");
      REQUIRE(test.answered["edit"] == 0);
      test.settle();
      REQUIRE(test.answers.at("edit").has_value());
      test.answered.clear();
    }
    test.edit("01", Op::action, {.payload = "new"}, "one more");
    CHECK(test.error_of("one more") == ErrorCode::forbidden);
  }

  TEST_CASE("a held target is not called, nor is one of a held host, until it is released") {
    Edited test;
    test.hold("a");
    test.hold("http://h");
    test.settle();
    REQUIRE(test.changed.at("hold a").has_value());
    REQUIRE(test.submit(Saga("g").step("a", ""), "run"));
    REQUIRE(test.submit(Saga("h").step("http://h/x", ""), "run h"));
    REQUIRE(test.submit(Saga("i").step("http://hh/x", ""), "run i"));
    test.settle();
    CHECK(test.ports.targets == Calls{"http://hh/x"});
    CHECK(test.engine.counters().stuck == 2);
    test.release("a");
    CHECK(test.ports.targets.size() == 1);  // the release is not on disk
    REQUIRE(test.submit(Saga("j").step("a", ""), "run j"));
    CHECK(test.ports.targets.size() == 1);  // so this one is held, too
    test.settle();
    test.engine.turn();
    test.settle();
    CHECK(test.ports.targets == Calls{"http://hh/x", "a", "a"});
    test.release("http://h");
    test.settle();
    test.engine.turn();
    test.settle();
    CHECK(test.ports.targets == Calls{"http://hh/x", "a", "a", "http://h/x"});
    CHECK(test.engine.counters().stuck == 0);
  }

  TEST_CASE("a call that waited for its host waits on if that is held meanwhile") {
    Edited test;
    test.ports.kinds["down"] = Kind::deferred;
    test.ports.shut.insert('d');
    REQUIRE(test.submit(Saga("g").step("down", ""), "run"));
    test.settle();
    test.hold("down");
    test.settle();
    test.ports.shut.clear();
    test.engine.lane_opened('d');
    test.engine.turn();
    test.settle();
    CHECK(test.ports.targets.empty());
    test.release("down");
    test.settle();
    test.engine.turn();
    CHECK(test.ports.targets == Calls{"down"});
  }

  TEST_CASE("a transaction that waits for a release can be turned back and stopped") {
    Edited test;
    test.hold("b");
    REQUIRE(test.submit(Saga("g").step("a", "undo a").step("b", ""), "run"));
    test.settle();
    REQUIRE(test.engine.ask(
        engine::WordRequest{"g", engine::WordRequest::Word::back, "no more", test.answer("back")}));
    test.engine.turn();
    test.settle();
    CHECK(test.answers.at("run")->status() == Status::failed);
    CHECK(test.ports.targets == Calls{"a", "undo a"});
    test.release("b");
    test.settle();
    test.engine.turn();
    CHECK(test.ports.targets.size() == 2);
  }

  TEST_CASE("holds are known after a restart, and a target is held once") {
    FakePorts ports;
    Options options;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    engine.adopt_holds({{"a", "moves", "ann"}});
    engine.start({.epoch = 2});
    engine.turn();
    std::vector<ErrorCode> errors;
    const auto told = [&errors](const Result<>& result) {
      if (!result) errors.push_back(result.error().code);
    };
    REQUIRE(engine.ask(engine::HoldRequest{{{"a", "", ""}, false}, told}));
    REQUIRE(engine.ask(engine::HoldRequest{{{"b", "", ""}, true}, told}));
    REQUIRE(engine.ask(engine::HoldRequest{{{"", "", ""}, false}, told}));
    for (int i = 0; i < 1'000; ++i)
      REQUIRE(engine.ask(engine::HoldRequest{{{"t" + std::to_string(i), "", ""}, false}, told}));
    engine.turn();
    CHECK(errors.size() == 3);  // the holds before the last are not on disk
    while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    CHECK(errors == std::vector{ErrorCode::conflict, ErrorCode::not_found,
                                ErrorCode::invalid_argument, ErrorCode::forbidden});
  }
}

}  // namespace belay::test
