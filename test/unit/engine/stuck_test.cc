// Telling a host what does not go on.
#include <doctest/doctest.h>

#include <stdexcept>

#include "engine_fixture.h"

namespace belay::test {
namespace {

using Lines = std::vector<std::string>;

void keep_notice(const StuckNotice& notice, void* user) {
  static_cast<Lines*>(user)->push_back(
      fmt::format("{} {} {} {} {}: {} ({})", notice.gid, name_of(notice.status), notice.branch_id,
                  name_of(notice.op), notice.target, notice.error, notice.attempts));
}

void keep_line(LogLevel, std::string_view line, void* user) {
  static_cast<Lines*>(user)->emplace_back(line);
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
    Options options;
    options.log = &keep_line;
    options.log_user = &lines;
    options.log_level = LogLevel::debug;
    TestEngine test(options);
    const auto* trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    test.ports.kinds["a"] = ports::Caller::Kind::unregistered;
    test.ports.outcomes.insert_or_assign("b", Outcome::failure("no\nfunds"));
    REQUIRE(test.submit(two_steps("g1").trace_parent(trace), "first"));
    REQUIRE(test.submit(Saga("g2").step("b", ""), "second"));
    test.settle();
    CHECK(lines == Lines{"gid=g1 trace=0af7651916cd43dd8448eb211c80319c is stuck: "
                         "no handler named 'a' is registered",
                         "gid=g2 to aborting: branch 01 (b): no funds",
                         "gid=g2 to failed: branch 01 (b): no funds"});
  }
}

}  // namespace belay::test
