// Another engine has the file: this one has ended, and everybody hears it.
#include <doctest/doctest.h>

#include "engine_fixture.h"

namespace belay::test {
namespace {

constexpr auto kSuperseded = ErrorCode::superseded;

}  // namespace

TEST_SUITE("engine/superseded") {
  TEST_CASE("who waits is told, nothing is called or tried again, and what comes is refused") {
    TestEngine test;
    test.ports.kinds["late"] = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(Saga("durable").step("late", ""), "durable"));
    test.settle();
    REQUIRE(test.ports.later.size() == 1);
    test.advance(1'000);
    REQUIRE(test.submit(two_steps("g"), "submit"));
    REQUIRE(test.check_storage("check"));
    REQUIRE(test.supersede());
    for (const auto* name : {"durable", "submit", "check"}) {
      CAPTURE(std::string(name));
      CHECK(test.error_of(name) == kSuperseded);
      CHECK(test.answered[name] == 1);
    }
    const auto calls = test.ports.calls.size();
    test.engine.answer(test.ports.later[0], Outcome::success());
    for (int i = 0; i < 20; ++i) test.advance(5'000);
    CHECK_FALSE(test.ports.commit_done);
    CHECK(test.ports.calls.size() == calls);
    CHECK_FALSE(test.engine.counters().storage_ok);
    REQUIRE(test.submit(two_steps("h"), "new"));
    REQUIRE(test.submit(two_steps("g"), "again"));
    REQUIRE(test.prepare(Tcc("t"), "prepare"));
    REQUIRE(test.submit_word("durable", "word"));
    REQUIRE(test.subscribe({"topic", "target", ""}, "topic"));
    REQUIRE(test.check_storage("check again"));
    REQUIRE(test.engine.ask(engine::FindRequest::find("durable", test.answer("find"))));
    REQUIRE(test.engine.ask(engine::FindRequest::wait("durable", {}, test.answer("wait"))));
    test.engine.turn();
    for (const auto* name :
         {"new", "again", "prepare", "word", "topic", "check again", "find", "wait"}) {
      CAPTURE(std::string(name));
      CHECK(test.error_of(name) == kSuperseded);
      CHECK(test.answered[name] == 1);
    }
    CHECK_FALSE(test.ports.commit_done);
  }

  TEST_CASE("it closes at once, and says why it ended") {
    for (const bool is_closing : {false, true}) {
      CAPTURE(is_closing);
      TestEngine test;
      REQUIRE(test.submit(two_steps("g"), "submit"));
      Result<> closed;
      int told = 0;
      const auto close = [&] {
        REQUIRE(test.engine.ask(engine::CloseRequest{[&](const Result<>& result) {
          closed = result;
          ++told;
        }}));
        test.engine.turn();
      };
      if (is_closing) close();
      REQUIRE(test.supersede());
      if (!is_closing) close();
      REQUIRE(told == 1);
      REQUIRE_FALSE(closed.has_value());
      CHECK(closed.error().code == kSuperseded);
      CHECK(test.engine.closed());
    }
  }

  TEST_CASE("a lookup that was under way is no way around it") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "submit"));
    REQUIRE(test.engine.ask(engine::FindRequest::find("other", test.answer("find"))));
    test.engine.turn();
    REQUIRE(test.ports.lookup_done);
    REQUIRE(test.supersede());
    test.answer_lookup();
    CHECK(test.error_of("find") == kSuperseded);
  }

  TEST_CASE("told by a lookup or by the collection of old history it ends as well") {
    TestEngine test;
    REQUIRE(test.engine.ask(engine::FindRequest::find("other", test.answer("find"))));
    test.engine.turn();
    REQUIRE(test.ports.lookup_done);
    std::exchange(test.ports.lookup_done, nullptr)(Error{kSuperseded, "another engine"});
    CHECK(test.error_of("find") == kSuperseded);
    REQUIRE(test.submit(two_steps("g"), "submit"));
    CHECK(test.error_of("submit") == kSuperseded);

    TestEngine collecting;
    collecting.advance(60'000);
    REQUIRE(collecting.ports.collect_done);
    std::exchange(collecting.ports.collect_done, nullptr)(Error{kSuperseded, "another engine"});
    REQUIRE(collecting.submit(two_steps("g"), "submit"));
    CHECK(collecting.error_of("submit") == kSuperseded);
  }
}

}  // namespace belay::test
