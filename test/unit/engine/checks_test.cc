// Does the disk take writes? And what the counters say of it.
#include <doctest/doctest.h>

#include "engine/limits.h"
#include "engine_fixture.h"

namespace belay::test {

TEST_SUITE("engine/checks") {
  TEST_CASE("a check writes something and is answered when that is on disk") {
    TestEngine test;
    REQUIRE(test.check_storage("check"));
    REQUIRE(test.ports.commit_done);
    CHECK(test.ports.committing->lsn == 0);
    CHECK(test.ports.committing->checked_at == test.ports.wall);
    CHECK(test.answered["check"] == 0);
    REQUIRE(test.commit());
    CHECK(test.changed.at("check").has_value());
    CHECK_FALSE(test.ports.commit_done);
  }

  TEST_CASE("what was written within a second is an answer, older is not") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "submit"));
    test.settle();
    REQUIRE(test.check_storage("soon"));
    CHECK(test.changed.at("soon").has_value());
    CHECK_FALSE(test.ports.commit_done);
    test.advance(1'000);
    test.settle();  // its row
    test.advance(1'000);
    REQUIRE(test.check_storage("later"));
    CHECK(test.answered["later"] == 0);
    test.settle();
    CHECK(test.changed.at("later").has_value());
  }

  TEST_CASE("a disk that refuses: who asked and who asks are told at once") {
    TestEngine test;
    REQUIRE(test.check_storage("first"));
    REQUIRE(test.check_storage("second"));  // for the next batch
    REQUIRE(test.refuse_commit());
    CHECK(test.error_of("first") == ErrorCode::storage);
    CHECK(test.error_of("second") == ErrorCode::storage);
    REQUIRE(test.check_storage("third"));
    CHECK(test.error_of("third") == ErrorCode::storage);
    test.advance(100);
    REQUIRE(test.commit());
    REQUIRE(test.check_storage("fourth"));
    CHECK(test.changed.at("fourth").has_value());
    CHECK(test.answered["first"] == 1);
  }

  TEST_CASE("a disk that says nothing: an answer comes all the same, and only one") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "submit"));
    REQUIRE(test.check_storage("check"));  // waits for the commit under way to end
    CHECK(test.ports.alarm_at <= test.ports.monotonic + 5'000);
    test.advance(4'999);
    CHECK(test.answered["check"] == 0);
    test.advance(1);
    CHECK(test.error_of("check") == ErrorCode::storage);
    test.settle();
    CHECK(test.answered["check"] == 1);
  }

  TEST_CASE("a disk that says nothing is told, though nobody asks, and so is its return") {
    std::vector<std::string> lines;
    Options options;
    options.log_user = &lines;
    options.log = [](const LogLine& line, void* user) {
      static_cast<std::vector<std::string>*>(user)->emplace_back(line.text);
    };
    TestEngine test(options);
    REQUIRE(test.submit(two_steps("g"), "submit"));
    CHECK(test.ports.alarm_at <= test.ports.monotonic + 5'000);
    test.advance(4'999);
    CHECK(test.engine.counters().storage_ok);
    CHECK(lines.empty());
    test.advance(1);
    CHECK_FALSE(test.engine.counters().storage_ok);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0] ==
          "the state file has not answered for 5000 ms, nothing is acknowledged until it does");
    REQUIRE(test.check_storage("check"));
    CHECK(test.error_of("check") == ErrorCode::storage);  // at once
    test.advance(1'000);
    CHECK(lines.size() == 1);
    test.settle();
    CHECK(test.engine.counters().storage_ok);
    CHECK(lines.size() == 2);
    CHECK(test.answers.at("submit")->succeeded());
    REQUIRE(test.check_storage("again"));
    CHECK(test.changed.at("again").has_value());
  }

  TEST_CASE("a lookup that is not answered is a disk that says nothing, too") {
    TestEngine test;
    REQUIRE(test.engine.ask(engine::FindRequest::find("g", test.answer("find"))));
    test.engine.turn();
    test.advance(5'000);
    CHECK_FALSE(test.engine.counters().storage_ok);
    test.answer_lookup();
    CHECK(test.engine.counters().storage_ok);
  }

  TEST_CASE("those who wait for a disk that says nothing are told in the end, and only once") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "submit"));
    test.advance(5'000);
    test.advance(24'999);
    CHECK(test.answered["submit"] == 0);
    CHECK(test.ports.alarm_at <= test.ports.monotonic + 1);
    test.advance(1);
    CHECK(test.error_of("submit") == ErrorCode::commit_unknown);
    test.settle();
    CHECK(test.answered["submit"] == 1);
    CHECK(test.engine.counters().succeeded == 1);
  }

  TEST_CASE(
      "what comes while the disk says nothing is refused at once, and what waits, in the end") {
    TestEngine test;
    const auto hand_in = [&test](const std::string& gid, const std::string& name) {
      const auto saga = Saga(gid).step("a", "", std::string(1'000'000, 'x'));
      REQUIRE(test.engine.ask(engine::SubmitRequest{*core::Definition::parse(*encode(saga, gid)),
                                                    core::Entry::submit, false, true,
                                                    test.answer(name)}));
    };
    REQUIRE(test.submit(two_steps("first"), "first"));
    test.engine.turn();
    REQUIRE(test.engine.ask(engine::FindRequest::find("unknown", test.answer("find"))));
    hand_in("named", "named");
    test.engine.turn();
    test.advance(5'000);
    CHECK_FALSE(test.engine.counters().storage_ok);
    for (int i = 0; i < 10; ++i) hand_in("late" + std::to_string(i), "late");
    REQUIRE(test.engine.ask(engine::FindRequest::find("unknown", test.answer("late find"))));
    REQUIRE(test.engine.ask(engine::FindRequest::find("first", test.answer("known"))));
    test.engine.turn();
    CHECK(test.error_of("late") == ErrorCode::storage);
    CHECK(test.answered["late"] == 10);
    CHECK(test.error_of("late find") == ErrorCode::storage);
    CHECK(test.error_of("known") == ErrorCode::storage);  // its submit is not on disk
    test.advance(24'999);
    CHECK(test.answered["find"] + test.answered["named"] == 0);
    test.advance(1);
    CHECK(test.error_of("find") == ErrorCode::storage);
    CHECK(test.error_of("named") == ErrorCode::storage);
    CHECK(test.engine.counters().queued_bytes == 0);
    // What the disk says in the end is heard, and all goes on.
    test.settle();
    test.answer_lookup();
    CHECK(test.engine.counters().storage_ok);
    REQUIRE(test.submit(two_steps("named"), "named"));
    test.settle();
    CHECK(test.answers.at("named")->succeeded());
    CHECK(test.engine.counters().succeeded == 2);
  }

  TEST_CASE("a process that was held up itself does not take the disk for silent") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "submit"));
    test.advance(60'000);
    CHECK(test.engine.counters().storage_ok);
    CHECK(test.answered["submit"] == 0);
    CHECK(test.ports.alarm_at <= test.ports.monotonic + 500);
    test.advance(500);
    CHECK_FALSE(test.engine.counters().storage_ok);
    test.settle();
    CHECK(test.engine.counters().storage_ok);
    CHECK(test.answers.at("submit")->succeeded());
  }

  TEST_CASE("a queue that is full of requests for a slow disk does not hold up a check") {
    TestEngine test;
    const std::string payload(1'000'000, 'x');
    for (int i = 0; i < 10; ++i)
      REQUIRE(test.submit(Saga(std::to_string(i)).step("a", "", payload), "any"));
    REQUIRE(test.engine.counters().queued > 0);
    REQUIRE(test.check_storage("check"));
    test.advance(5'000);
    CHECK(test.error_of("check") == ErrorCode::storage);
  }

  TEST_CASE("a closing engine says so") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "submit"));
    REQUIRE(test.engine.ask(engine::CloseRequest{[](const Result<>&) {}}));
    test.engine.turn();
    REQUIRE(test.check_storage("closing"));
    CHECK(test.error_of("closing") == ErrorCode::closed);
    test.settle();
    REQUIRE(test.engine.closed());
    const auto closed = test.check_storage("closed");
    REQUIRE_FALSE(closed);
    CHECK(closed.error().code == ErrorCode::closed);
  }

  TEST_CASE("checks beyond their number are busy") {
    TestEngine test;
    int told = 0;
    for (int i = 0; i < 1'024; ++i)
      REQUIRE(test.engine.check_storage([&told](const Result<>&) { ++told; }));
    const auto more = test.engine.check_storage([](const Result<>&) {});
    REQUIRE_FALSE(more);
    CHECK(more.error().code == ErrorCode::busy);
    test.engine.turn();
    test.settle();
    CHECK(told == 1'024);
  }

  TEST_CASE("those whose write is under way, and those who wait for the next, are among them") {
    TestEngine test;
    int told = 0;
    const auto ask = [&] {
      return test.engine.check_storage([&told](const Result<>&) { ++told; });
    };
    for (const int count : {500, 524}) {
      for (int i = 0; i < count; ++i) REQUIRE(ask());
      test.engine.turn();
    }
    const auto more = ask();
    REQUIRE_FALSE(more);
    CHECK(more.error().code == ErrorCode::busy);
    REQUIRE(test.commit());
    CHECK(told == 500);
    CHECK(ask());
    test.settle();
    test.engine.turn();
    test.settle();
    CHECK(told == 1'025);
  }
}

TEST_SUITE("engine/hosts") {
  TEST_CASE("changed figures of hosts are written at a checkpoint's tick, unchanged ones are not") {
    TestEngine test;
    test.advance(5'000);
    CHECK_FALSE(test.ports.commit_done);
    test.ports.host_figures = {{.host = "https://a", .success = 1}};
    test.advance(1'000);
    CHECK_FALSE(test.ports.commit_done);
    test.advance(4'000);
    REQUIRE(test.ports.commit_done);
    REQUIRE(test.ports.committing->hosts.has_value());
    CHECK(*test.ports.committing->hosts == test.ports.host_figures);
    REQUIRE(test.commit());
    test.advance(5'000);
    CHECK_FALSE(test.ports.commit_done);
  }

  TEST_CASE("closing writes the last figures") {
    TestEngine test;
    test.ports.host_figures = {{.host = "https://a", .success = 1}};
    REQUIRE(test.engine.ask(engine::CloseRequest{[](const Result<>&) {}}));
    test.engine.turn();
    REQUIRE(test.ports.commit_done);
    CHECK(test.ports.committing->hosts.has_value());
    test.settle();
    CHECK(test.engine.closed());
  }
}

TEST_SUITE("engine/realms") {
  TEST_CASE("a realm noted before the start or later is written once") {
    TestEngine test;
    const XaRealm stock{XaKind::postgresql, "stock", "stock"};
    const XaRealm bank{XaKind::mariadb, "bank", "bank"};
    REQUIRE(test.engine.note_realm(stock));
    test.engine.turn();
    REQUIRE(test.ports.commit_done);
    CHECK(test.ports.committing->realms == std::vector<XaRealm>{stock});
    REQUIRE(test.engine.note_realm(bank));
    REQUIRE(test.engine.note_realm(stock));
    REQUIRE(test.commit());
    REQUIRE(test.ports.commit_done);
    CHECK(test.ports.committing->realms == std::vector<XaRealm>{bank});
    REQUIRE(test.commit());
    test.advance(1'000);
    CHECK_FALSE(test.ports.commit_done);
  }

  TEST_CASE("there is a limit of realms") {
    TestEngine test;
    for (std::size_t i = 0; i < engine::kRealmsMax; ++i)
      REQUIRE(test.engine.note_realm({XaKind::mariadb, std::to_string(i), "bank"}));
    const auto refused = test.engine.note_realm({XaKind::mariadb, "more", "bank"});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_argument);
    CHECK(test.engine.note_realm({XaKind::mariadb, "7", "bank"}));
  }
}

TEST_SUITE("engine/counters") {
  TEST_CASE("calls are counted by what they said") {
    TestEngine test;
    test.ports.outcomes.insert_or_assign("no", Outcome::failure("no"));
    test.ports.outcomes.insert_or_assign("wait", Outcome::ongoing("not yet"));
    test.ports.outcomes.insert_or_assign("down", Outcome::unknown("down"));
    test.ports.kinds["late"] = ports::Caller::Kind::deferred;
    for (const auto* target : {"yes", "no", "wait", "down", "late"}) {
      REQUIRE(test.submit(Saga(target).step(target, "").request_timeout(Millis{500}), target));
      test.settle();
    }
    test.advance(500);
    const auto counters = test.engine.counters();
    CHECK(counters.calls == 5);
    CHECK(counters.calls_success == 1);
    CHECK(counters.calls_failure == 1);
    CHECK(counters.calls_ongoing == 1);
    CHECK(counters.calls_unknown == 2);
  }

  TEST_CASE("what commits take is added up, the longest is remembered for a while") {
    TestEngine test;
    REQUIRE(test.submit(Saga("g").step("a", ""), "first"));
    REQUIRE(test.commit({.commit_us = 700, .sync_us = 500}));
    REQUIRE(test.commit({.commit_us = 300, .sync_us = 200}));
    auto counters = test.engine.counters();
    CHECK(counters.commit_us == 1'000);
    CHECK(counters.sync_us == 700);
    CHECK(counters.commit_us_max == 700);
    CHECK(counters.batch_records_max == 2);
    test.settle();
    test.advance(9'000);
    CHECK(test.engine.counters().commit_us_max == 700);
    test.settle();
    test.advance(20'000);
    CHECK(test.engine.counters().commit_us_max == 0);
  }

  TEST_CASE("a wake-up that is noticed late is seen") {
    TestEngine test;
    Retry retry;
    retry.first_interval = Millis{1'000};
    retry.jitter = 0;
    test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g").retry(retry), "first"));
    test.settle();
    CHECK(test.engine.counters().due_lag_ms == 0);
    test.advance(1'250);
    CHECK(test.engine.counters().due_lag_ms == 250);
  }
}

}  // namespace belay::test
