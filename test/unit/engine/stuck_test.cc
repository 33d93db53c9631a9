// Telling a host what does not go on.
#include <doctest/doctest.h>

#include <algorithm>
#include <stdexcept>

#include "core/apply.h"
#include "engine_fixture.h"

namespace belay::test {
namespace {

using Lines = std::vector<std::string>;

void keep_notice(const StuckNotice& notice, void* user) {
  static_cast<Lines*>(user)->push_back(
      fmt::format("{} {} {} {} {}: {} ({})", notice.gid, name_of(notice.status), notice.branch_id,
                  name_of(notice.op), notice.target, notice.error, notice.attempts));
}

void keep_line(const LogLine& line, void* user) {
  static_cast<Lines*>(user)->emplace_back(line.text);
}

void keep_fields(const LogLine& line, void* user) {
  static_cast<Lines*>(user)->push_back(
      fmt::format("{}|{}|{}|{}|{}", line.gid, line.branch_id, line.op, line.error, line.trace));
}

void keep_end(const UnstuckNotice& notice, void* user) {
  static_cast<Lines*>(user)->push_back(
      fmt::format("{} {} over: {}", notice.gid, name_of(notice.status),
                  notice.branch_id.empty() ? "all" : notice.branch_id));
}

Options telling(Lines& lines) {
  Options options;
  options.stuck_after = 2;
  options.retry.first_interval = Millis{1'000};
  options.retry.multiplier = 1;
  options.retry.jitter = 0;
  options.on_stuck = &keep_notice;
  options.on_stuck_user = &lines;
  return options;
}

Options logging(Lines& lines, LogSink sink, LogLevel level) {
  Options options;
  options.log = sink;
  options.log_user = &lines;
  options.log_level = level;
  options.stuck_after = 1;
  return options;
}

}  // namespace

TEST_SUITE("engine/stuck") {
  TEST_CASE("every call without an answer of a stuck transaction is told, once it is on disk") {
    Lines told;
    TestEngine test(telling(told));
    test.ports.outcomes.insert_or_assign("b", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    CHECK(told.empty());  // not stuck yet
    test.advance(1'000);
    CHECK(told.empty());  // not on disk yet
    test.settle();
    CHECK(told == Lines{"g submitted 02 action b: down (2)"});
    test.advance(1'000);
    test.settle();
    CHECK(told.back() == "g submitted 02 action b: down (3)");
    test.ports.outcomes.clear();
    test.advance(1'000);
    test.settle();
    CHECK(told.size() == 2);
    CHECK(test.answers.at("first")->succeeded());
  }

  TEST_CASE("the end of being stuck is told once, when it is on disk") {
    Lines told;
    auto options = telling(told);
    options.on_unstuck = &keep_end;
    TestEngine test(options);
    test.ports.outcomes.insert_or_assign("b", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    test.advance(1'000);
    test.settle();
    REQUIRE(told.size() == 1);
    test.ports.outcomes.clear();
    test.advance(1'000);
    CHECK(told.size() == 1);  // not on disk yet
    test.settle();
    REQUIRE(told.size() == 2);
    CHECK(told.back() == "g succeed over: all");
    // Who was never stuck is not told of.
    REQUIRE(test.submit(two_steps("h"), "second"));
    test.settle();
    CHECK(told.size() == 2);
  }

  TEST_CASE("a branch that is answered is told, though another one keeps its transaction stuck") {
    Lines told;
    auto options = telling(told);
    options.on_unstuck = &keep_end;
    TestEngine test(options);
    for (const auto* name : {"a", "b"})
      test.ports.outcomes.insert_or_assign(name, Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g").concurrent(), "first"));
    test.settle();
    test.advance(1'000);
    test.settle();
    REQUIRE(told.size() == 2);
    test.ports.outcomes.erase("a");
    test.advance(1'000);
    test.settle();
    CHECK(std::count(told.begin(), told.end(), "g submitted over: 01") == 1);
    CHECK(told.size() == 4);  // and the other one's call
    test.ports.outcomes.clear();
    test.advance(1'000);
    test.settle();
    CHECK(told.size() == 5);
    CHECK(told.back() == "g succeed over: all");
  }

  TEST_CASE("a transaction that was stuck and is stopped is stuck no longer") {
    Lines told;
    auto options = telling(told);
    options.on_unstuck = &keep_end;
    TestEngine test(options);
    test.ports.kinds["a"] = ports::Caller::Kind::unregistered;
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    REQUIRE(told.size() == 1);
    REQUIRE(test.engine.ask(
        engine::WordRequest{"g", engine::WordRequest::Word::stop, "enough", test.answer("stop")}));
    test.engine.turn();
    test.settle();
    REQUIRE(told.size() == 2);
    CHECK(told.back() == "g failed over: all");
  }

  TEST_CASE("what is told is what was decided, though it goes on before it is on disk") {
    Lines told;
    TestEngine test(telling(told));
    test.ports.kinds["b"] = ports::Caller::Kind::deferred;
    test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g").concurrent(), "first"));
    test.settle();
    test.advance(1'000);
    test.engine.answer(test.ports.later.at(0), Outcome::failure("no"));
    test.settle();
    CHECK(told == Lines{"g submitted 01 action a: down (2)"});
  }

  TEST_CASE("a disk that refuses puts the telling off") {
    Lines told;
    TestEngine test(telling(told));
    test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    test.advance(1'000);
    REQUIRE(test.refuse_commit());
    CHECK(told.empty());
    test.advance(100);
    test.settle();
    CHECK(told.size() == 1);
  }

  TEST_CASE("a handler that nobody registered is told at once") {
    Lines told;
    TestEngine test(telling(told));
    test.ports.kinds["a"] = ports::Caller::Kind::unregistered;
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    CHECK(told == Lines{"g submitted 01 action a: no handler named 'a' is registered (0)"});
  }

  TEST_CASE("a callback that throws stops nothing") {
    Lines told;
    auto options = telling(told);
    options.on_stuck = [](const StuckNotice&, void*) { throw std::runtime_error("oops"); };
    TestEngine test(options);
    test.ports.kinds["a"] = ports::Caller::Kind::unregistered;
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    CHECK(test.engine.counters().stuck == 1);
  }

  TEST_CASE("the log names a transaction by its gid and its trace, in one line") {
    Lines lines;
    TestEngine test(logging(lines, &keep_line, LogLevel::debug));
    const auto* trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    test.ports.kinds["a"] = ports::Caller::Kind::unregistered;
    test.ports.outcomes.insert_or_assign("b", Outcome::failure("no\nfunds"));
    REQUIRE(test.submit(two_steps("g1").trace_parent(trace), "first"));
    REQUIRE(test.submit(Saga("g2").step("b", ""), "second"));
    test.settle();
    CHECK(lines == Lines{"gid=g1 trace=0af7651916cd43dd8448eb211c80319c is stuck: "
                         "branch 01 (action a): no handler named 'a' is registered",
                         "gid=g2 to aborting: branch 01 (b): no funds",
                         "gid=g2 to failed: branch 01 (b): no funds"});
  }

  TEST_CASE("a line of the log has fields of its own for what it is about") {
    Lines lines;
    TestEngine test(logging(lines, &keep_fields, LogLevel::debug));
    const auto* trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    test.ports.outcomes.insert_or_assign("b", Outcome::unknown("do\nwn"));
    test.ports.outcomes.insert_or_assign("c", Outcome::failure("no funds"));
    REQUIRE(test.submit(two_steps("g 1").trace_parent(trace), "first"));
    REQUIRE(test.submit(Saga("g2").step("c", ""), "second"));
    test.settle();
    CHECK(lines == Lines{"g2|||branch 01 (c): no funds|", "g2|||branch 01 (c): no funds|",
                         "g 1|02|action|do\nwn|0af7651916cd43dd8448eb211c80319c"});
  }

  TEST_CASE("the fields of a line are of the branch that its text names") {
    Lines lines;
    Lines fields;
    for (const bool text : {true, false}) {
      auto options = text ? logging(lines, &keep_line, LogLevel::warning)
                          : logging(fields, &keep_fields, LogLevel::warning);
      options.stuck_after = 10;
      TestEngine test(options);
      test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
      test.ports.kinds["b"] = ports::Caller::Kind::unregistered;
      REQUIRE(test.submit(two_steps("g").concurrent(), "first"));
      test.settle();
    }
    const std::string error = "no handler named 'b' is registered";
    CHECK(lines == Lines{"gid=g is stuck: branch 02 (action b): " + error});
    CHECK(fields == Lines{"g|02|action|" + error + "|"});
  }

  TEST_CASE("no gid can be taken for another field in the text of a line") {
    Lines lines;
    TestEngine test(logging(lines, &keep_line, LogLevel::warning));
    test.ports.kinds["a"] = ports::Caller::Kind::unregistered;
    for (const std::string gid : {"g trace=1", "g\"", "g\\", "gid=g", "\xc3\xa4"})
      REQUIRE(test.submit(two_steps(gid), "any"));
    test.settle();
    const std::string stuck = " is stuck: branch 01 (action a): no handler named 'a' is registered";
    CHECK(lines == Lines{R"(gid="g trace=1")" + stuck, R"(gid="g\"")" + stuck,
                         R"(gid="g\\")" + stuck, "gid=gid=g" + stuck, "gid=\xc3\xa4" + stuck});
  }

  TEST_CASE("one that turned back is told by what it waits for, and by why it turned back") {
    Lines lines;
    Lines reasons;
    auto options = telling(lines);
    options.log = &keep_line;
    options.log_user = &lines;
    options.log_level = LogLevel::warning;
    options.on_stuck_user = &reasons;
    options.on_stuck = [](const StuckNotice& notice, void* user) {
      static_cast<Lines*>(user)->push_back(fmt::format("{}; {}", notice.error, notice.reason));
    };
    TestEngine test(options);
    test.ports.outcomes.insert_or_assign("undo a", Outcome::unknown("down"));
    test.ports.outcomes.insert_or_assign("b", Outcome::failure("no funds"));
    REQUIRE(test.submit(Saga("g").step("a", "undo a").step("b", ""), "first"));
    test.settle();
    test.advance(1'000);
    test.settle();
    CHECK(lines == Lines{"gid=g is stuck: branch 01 (compensate undo a): down; it turned back: "
                         "branch 02 (b): no funds"});
    CHECK(reasons == Lines{"down; branch 02 (b): no funds"});
  }

  TEST_CASE("who waits behind an open breaker as long as the calls would have taken is stuck") {
    Lines told;
    auto options = telling(told);
    options.request_timeout = Millis{500};
    options.checkpoint_interval = Millis{1};
    TestEngine test(options);
    test.ports.default_kind = ports::Caller::Kind::deferred;
    test.ports.shut = test.ports.broken = {'a'};
    REQUIRE(test.submit(Saga("g").step("a", ""), "first"));
    test.settle();
    test.advance(1'999);  // one call, the interval, one call: 2,000
    test.settle();
    CHECK(test.engine.counters().stuck == 0);
    test.advance(1);
    test.settle();
    CHECK(test.engine.counters().stuck == 1);
    CHECK(told == Lines{"g submitted 01 action a: the breaker is open (0)"});
    test.advance(60'000);
    test.settle();
    CHECK(told.size() == 1);
    CHECK(test.engine.counters().calls == 0);

    // A call that fails counts; what is still to come is one call less.
    test.ports.shut.clear();
    test.engine.lane_opened('a');
    test.engine.turn();
    test.ports.shut = {'a'};
    test.engine.answer(test.ports.later.at(0), Outcome::unknown("down"));
    test.engine.turn();
    test.settle();
    CHECK(test.engine.counters().stuck == 0);
    test.advance(1'000);  // the interval; now it waits again
    test.settle();
    test.advance(500);
    test.settle();
    CHECK(told.back() == "g submitted 01 action a: the breaker is open; the last error: down (1)");
    test.ports.shut.clear();
    test.engine.lane_opened('a');
    test.engine.turn();
    test.engine.answer(test.ports.later.at(1), Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.engine.counters().stuck == 0);
    CHECK(test.answers.at("first")->succeeded());
  }

  TEST_CASE("who waits for a place of a host that answers is not stuck") {
    Lines told;
    auto options = telling(told);
    options.checkpoint_interval = Millis{1};
    TestEngine test(options);
    test.ports.default_kind = ports::Caller::Kind::deferred;
    test.ports.shut = {'a'};
    REQUIRE(test.submit(Saga("g").step("a", ""), "first"));
    test.settle();
    test.advance(3'600'000);
    test.settle();
    CHECK(test.engine.counters().stuck == 0);
  }

  TEST_CASE("one that is held back and turns back is undone by its own") {
    Lines told;
    auto options = telling(told);
    options.checkpoint_interval = Millis{1};
    options.request_timeout = Millis{500};
    TestEngine test(options);
    test.ports.default_kind = ports::Caller::Kind::deferred;
    test.ports.shut = test.ports.broken = {'b'};
    REQUIRE(test.submit(two_steps("g").timeout_to_fail(Millis{60'000}), "first"));
    test.settle();
    test.engine.answer(test.ports.later.at(0), Outcome::success());
    test.engine.turn();
    test.settle();
    test.advance(30'000);
    test.settle();
    CHECK(told == Lines{"g submitted 02 action b: the breaker is open (0)"});
    test.advance(30'000);
    test.settle();
    CHECK(test.engine.counters().stuck == 0);
    CHECK(test.ports.targets.back() == "undo b");
  }

  TEST_CASE("many that get stuck at once are ten lines, and one that counts the rest") {
    Lines lines;
    TestEngine test(logging(lines, &keep_line, LogLevel::warning));
    test.ports.kinds["a"] = ports::Caller::Kind::unregistered;
    const auto submit = [&](int from, int to) {
      for (int i = from; i < to; ++i) REQUIRE(test.submit(two_steps(std::to_string(i)), "any"));
      test.settle();
    };
    submit(0, 1'000);
    REQUIRE(lines.size() == 10);
    CHECK(lines.front() ==
          "gid=0 is stuck: branch 01 (action a): no handler named 'a' is registered");
    test.advance(9'999);
    CHECK(lines.size() == 10);
    test.advance(1);
    REQUIRE(lines.size() == 11);
    CHECK(lines.back() == "990 more transactions are stuck: belay stuck shows them");
    test.advance(60'000);
    submit(1'000, 1'003);
    CHECK(lines.size() == 14);
    test.advance(60'000);
    CHECK(lines.size() == 14);
  }

  TEST_CASE("those that were stuck before a start are one line, however many") {
    Lines lines;
    const auto options = logging(lines, &keep_line, LogLevel::warning);
    FakePorts ports;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    for (core::TransactionId id = 1; id <= 1'000; ++id) {
      auto bytes = encode(two_steps(std::to_string(id)), std::to_string(id), options.limits);
      REQUIRE(bytes);
      core::Record record{.kind = core::RecordKind::submitted, .id = id, .at = ports.wall};
      record.text = *bytes;
      auto transaction = core::begin(record);
      REQUIRE(transaction);
      transaction->branches[0].first = core::OpState::started;
      transaction->branches[0].parked = true;
      engine.adopt(std::move(*transaction), 1, 1, false);
    }
    engine.start({.last_lsn = 1, .last_id = 1'000, .epoch = 2});
    CHECK(lines == Lines{"1000 transactions are stuck: belay stuck shows them"});
    CHECK(engine.counters().stuck == 1'000);
  }
}

}  // namespace belay::test
