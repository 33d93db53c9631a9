#include <doctest/doctest.h>

#include "core/apply.h"
#include "engine_fixture.h"
#include "support/encode.h"

namespace belay::test {

TEST_SUITE("engine") {
  TEST_CASE("nothing is called and nobody is answered before the decision is on disk") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "first", false));
    CHECK(test.ports.calls.empty());
    CHECK(test.answered["first"] == 0);
    REQUIRE(test.commit());
    CHECK(test.answered["first"] == 1);
    CHECK(test.ports.calls == std::vector<std::string>{"01 action"});
    REQUIRE(test.commit());
    CHECK(test.ports.calls == std::vector<std::string>{"01 action", "02 action"});
  }

  TEST_CASE("a final status is told only when it is on disk") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "first"));
    for (int commits = 0; commits < 2; ++commits) REQUIRE(test.commit());
    CHECK(test.answered["first"] == 0);
    REQUIRE(test.commit());
    REQUIRE(test.answered["first"] == 1);
    CHECK(test.answers.at("first")->succeeded());
  }

  TEST_CASE("the loop lingers for a small batch, not for a large one or for none") {
    TestEngine test;
    CHECK(test.ports.lingers == 0);
    REQUIRE(test.submit(two_steps("one"), "one"));
    CHECK(test.ports.lingers == 1);
    test.settle();
    const auto lingers = test.ports.lingers;
    test.engine.turn();
    CHECK(test.ports.lingers == lingers);
    REQUIRE(test.submit(two_steps("first"), "first"));
    for (std::uint32_t i = 0; i < engine::kLingerRecords; ++i)
      REQUIRE(test.submit(two_steps("g" + std::to_string(i)), "many"));
    const auto for_small_ones = test.ports.lingers;
    REQUIRE(test.commit());  // begins the large one
    CHECK(test.ports.lingers == for_small_ones);
  }

  TEST_CASE("the same definition joins the first, another one is a conflict") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "first"));
    REQUIRE(test.submit(two_steps("g"), "same"));
    REQUIRE(test.submit(two_steps("g").step("c", "undo c"), "other"));
    REQUIRE(test.answered["other"] == 1);
    CHECK(test.answers.at("other").error().code == ErrorCode::conflict);
    test.settle();
    CHECK(test.answers.at("first")->succeeded());
    CHECK(test.answers.at("same")->succeeded());
    CHECK(test.ports.calls.size() == 2);
  }

  TEST_CASE("who asks hears what was on disk when he asked, though it goes on with every batch") {
    TestEngine test;
    Saga saga("g");
    for (int i = 0; i < 20; ++i) saga.step("a", "");
    REQUIRE(test.submit(saga, "submit"));
    REQUIRE(test.commit());
    REQUIRE(test.engine.ask(engine::FindRequest::find("g", test.answer("find"))));
    test.engine.turn();
    for (int i = 0; i < 3 && test.answered["find"] == 0; ++i) REQUIRE(test.commit());
    REQUIRE(test.answered["find"] == 1);
    CHECK(test.answers.at("find")->status() == Status::submitted);
    CHECK(test.answered["submit"] == 0);
    test.settle();
    CHECK(test.answers.at("submit")->succeeded());
  }

  TEST_CASE("two submits of one new gid at once begin one transaction") {
    TestEngine test;
    auto bytes = encode(two_steps("g"), "g", test.options.limits);
    for (const auto* name : {"first", "second"}) {
      REQUIRE(test.engine.ask(engine::SubmitRequest{
          *core::Definition::parse(*bytes), core::Entry::submit, false, true, test.answer(name)}));
    }
    test.engine.turn();
    CHECK(test.ports.looked_up == std::vector<std::string>{"g"});
    test.answer_lookup();
    test.settle();
    CHECK(test.answered["first"] == 1);
    CHECK(test.answered["second"] == 1);
    CHECK(test.ports.calls.size() == 2);
  }

  TEST_CASE("a gid that finished long ago is answered from the disk, another definition refused") {
    TestEngine test;
    const auto bytes = encode(two_steps("g"), "g", test.options.limits);
    test.on_disk["g"] = {.gid = "g",
                         .id = 7,
                         .mode = Mode::saga,
                         .status = Status::failed,
                         .definition_hash = core::Definition::parse(*bytes)->hash(),
                         .reason = "no funds",
                         .created_at = 1,
                         .finished_at = 2};
    REQUIRE(test.submit(two_steps("g"), "same"));
    CHECK(test.answers.at("same")->status() == Status::failed);
    CHECK(test.answers.at("same")->reason() == "no funds");
    REQUIRE(test.submit(two_steps("g").concurrent(), "other"));
    CHECK(test.answers.at("other").error().code == ErrorCode::conflict);
    CHECK_FALSE(test.commit());
    CHECK(test.ports.calls.empty());
  }

  TEST_CASE("a submit beyond the queue's limit is busy at once and leaves nothing") {
    Options options;
    options.limits.queued_submits_max = 2;
    TestEngine test(options);
    const auto bytes = encode(two_steps("g"), "g", options.limits);
    const auto request = [&](const char* name) {
      return engine::SubmitRequest{*core::Definition::parse(*bytes), core::Entry::submit, false,
                                   true, test.answer(name)};
    };
    REQUIRE(test.engine.ask(request("first")));
    REQUIRE(test.engine.ask(request("second")));
    const auto third = test.engine.ask(request("third"));
    REQUIRE_FALSE(third);
    CHECK(third.error().code == ErrorCode::busy);
    test.engine.turn();
    // Looked up, and so still queued.
    CHECK_FALSE(test.engine.ask(request("fourth")));
    test.answer_lookup();
    CHECK(test.engine.ask(request("fifth")));
    test.settle();
    CHECK(test.answered["third"] + test.answered["fourth"] == 0);
    CHECK(test.answered["fifth"] == 1);
    CHECK(test.engine.counters().queued == 0);
    CHECK(test.engine.counters().refused == 2);
  }

  TEST_CASE("the limit of live transactions refuses the next and lets it in when one has ended") {
    Options options;
    options.limits.live_transactions_max = 1;
    TestEngine test(options);
    REQUIRE(test.submit(two_steps("g1"), "first"));
    REQUIRE(test.submit(two_steps("g2"), "second"));
    CHECK(test.answers.at("second").error().code == ErrorCode::live_limit);
    test.settle();
    REQUIRE(test.submit(two_steps("g2"), "again"));
    test.settle();
    CHECK(test.answers.at("again")->succeeded());
  }

  TEST_CASE("calls beyond the limit in flight wait their turn") {
    Options options;
    options.limits.calls_in_flight_max = 1;
    TestEngine test(options);
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(two_steps("g").concurrent(), "first"));
    test.settle();
    CHECK(test.ports.later.size() == 1);
    CHECK(test.engine.counters().calls_waiting == 1);
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    CHECK(test.ports.later.size() == 2);
  }

  TEST_CASE(
      "a call without an answer is given up at its timeout and made again with a larger fence") {
    TestEngine test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    Retry retry;
    retry.first_interval = Millis{1'000};
    retry.jitter = 0;
    REQUIRE(test.submit(two_steps("g").request_timeout(Millis{500}).retry(retry), "first"));
    test.settle();
    REQUIRE(test.ports.later.size() == 1);
    CHECK(test.ports.alarm_at <= test.ports.monotonic + 500);
    test.advance(500);
    test.settle();
    test.engine.answer(test.ports.later[0], Outcome::success());  // too late: dropped
    CHECK_FALSE(test.commit());
    test.advance(1'000);
    REQUIRE(test.ports.later.size() == 2);
    CHECK(test.ports.fences[1] > test.ports.fences[0]);
  }

  TEST_CASE("a caller that keeps the time itself is given a second more to say why") {
    TestEngine test;
    test.ports.default_kind = ports::Caller::Kind::timed;
    const auto last_error = [&] {
      REQUIRE(test.engine.ask(engine::FindRequest::find("g", test.answer("look"))));
      test.engine.turn();
      return test.answers.at("look")->reason();
    };
    REQUIRE(test.submit(Saga("g").step("a", "").request_timeout(Millis{500}), "first"));
    test.settle();
    test.advance(1'499);
    test.engine.answer(test.ports.later[0], Outcome::unknown("no connection"));
    test.engine.turn();
    test.settle();
    CHECK(last_error() == "no connection");
    test.advance(100'000);
    REQUIRE(test.ports.later.size() == 2);
    test.advance(1'500);
    test.settle();
    CHECK(last_error() == "no answer within 500 ms");
  }

  TEST_CASE("an unknown handler holds the transaction, stuck, until it is registered") {
    TestEngine test;
    test.ports.kinds["b"] = ports::Caller::Kind::unregistered;
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    CHECK(test.engine.counters().stuck == 1);
    CHECK(test.answered["first"] == 0);
    test.ports.kinds.clear();
    REQUIRE(test.engine.ask(engine::RegisteredRequest{"b"}));
    test.engine.turn();
    test.settle();
    CHECK(test.engine.counters().stuck == 0);
    CHECK(test.answers.at("first")->succeeded());
  }

  TEST_CASE("a wall clock that jumps neither fires a timeout nor freezes a retry") {
    for (const std::int64_t jump : {-3'600'000, 3'600'000}) {
      CAPTURE(jump);
      TestEngine test;
      test.ports.outcomes.insert_or_assign("a", Outcome::unknown("down"));
      Retry retry;
      retry.first_interval = Millis{1'000};
      retry.jitter = 0;
      REQUIRE(test.submit(two_steps("g").timeout_to_fail(Millis{60'000}).retry(retry), "first"));
      test.settle();
      CHECK(test.ports.calls.size() == 1);
      test.ports.wall += static_cast<std::uint64_t>(jump);
      test.advance(800);  // the engine's time leans by an eighth at most: 900
      test.settle();
      CHECK(test.ports.calls.size() == 1);
      test.advance(400);  // and at least 350 more
      test.settle();
      CHECK(test.ports.calls.size() == 2);
      CHECK(test.answered["first"] == 0);
    }
  }

  TEST_CASE("a wait that ends is told when somebody else comes, and does not pile up") {
    TestEngine test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(two_steps("g"), "first", false));
    test.settle();
    REQUIRE(test.engine.ask(engine::FindRequest::wait("g", Millis{100}, test.answer("impatient"))));
    test.engine.turn();
    test.advance(200);
    REQUIRE(test.engine.ask(engine::FindRequest::wait("g", Millis{100}, test.answer("next"))));
    test.engine.turn();
    CHECK(test.answers.at("impatient").error().code == ErrorCode::timed_out);
    CHECK(test.answered["next"] == 0);
  }

  TEST_CASE("a wait without a timeout is told the end, however late that comes") {
    TestEngine test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(two_steps("g"), "first", false));
    test.settle();
    REQUIRE(test.engine.ask(engine::FindRequest::wait("g", std::nullopt, test.answer("patient"))));
    test.engine.turn();
    test.advance(3'600'000);
    test.settle();
    test.ports.default_kind = ports::Caller::Kind::immediate;
    REQUIRE(test.engine.ask(engine::FindRequest::wait("g", Millis{100}, test.answer("other"))));
    test.engine.turn();
    CHECK(test.answered["patient"] == 0);
    for (int i = 0; i < 5 && test.answered["patient"] == 0; ++i) {
      test.advance(3'600'000);
      test.settle();
    }
    REQUIRE(test.answered["patient"] == 1);
    CHECK(test.answers.at("patient")->succeeded());
  }
}

TEST_SUITE("engine/storage") {
  TEST_CASE(
      "a disk that refuses: nothing is acknowledged or called, new submits are told, and it goes "
      "on by itself") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "first", false));
    REQUIRE(test.refuse_commit());
    CHECK(test.answered["first"] == 0);
    CHECK(test.ports.calls.empty());
    CHECK_FALSE(test.engine.counters().storage_ok);
    REQUIRE(test.submit(two_steps("g2"), "second"));
    CHECK(test.answers.at("second").error().code == ErrorCode::storage);
    CHECK_FALSE(test.ports.commit_done);
    test.advance(100);
    REQUIRE(test.ports.commit_done);
    const auto* batch = test.ports.committing;
    CHECK(batch->lsn == 1);
    REQUIRE(test.commit());
    CHECK(test.answered["first"] == 1);
    CHECK(test.ports.calls.size() == 1);
    CHECK(test.engine.counters().storage_ok);
    test.settle();
    REQUIRE(test.submit(two_steps("g2"), "second again"));
    test.settle();
    CHECK(test.answers.at("second again")->succeeded());
  }

  TEST_CASE("whoever waits longer than a patient caller would is told that nobody can know") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "first", false));
    for (int i = 0; i < 20 && test.answered["first"] == 0; ++i) {
      test.refuse_commit();
      test.advance(1'000);
    }
    REQUIRE(test.answered["first"] == 1);
    CHECK(test.answers.at("first").error().code == ErrorCode::commit_unknown);
    test.advance(5'000);
    test.settle();
    CHECK(test.answered["first"] == 1);
    CHECK(test.engine.counters().succeeded == 1);
  }

  TEST_CASE("a slow disk fills the queue, not the open batch") {
    TestEngine test;
    const std::string payload(1'000'000, 'x');
    for (int i = 0; i < 20; ++i) {
      auto bytes =
          encode(Saga("g").step("a", "", payload), "g" + std::to_string(i), test.options.limits);
      REQUIRE(test.engine.ask(engine::SubmitRequest{
          *core::Definition::parse(*bytes), core::Entry::submit, true, true, test.answer("any")}));
      test.engine.turn();
    }
    CHECK(test.engine.counters().queued > 10);
    test.settle();
    CHECK(test.engine.counters().queued == 0);
    CHECK(test.answered["any"] == 20);
  }
}

TEST_SUITE("engine/rows") {
  TEST_CASE(
      "a finished transaction leaves memory when its row is on disk, and the log is folded behind "
      "it") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    CHECK(test.engine.counters().live == 0);
    test.advance(1'000);
    REQUIRE(test.ports.commit_done);
    REQUIRE(test.ports.committing->rows.size() == 1);
    CHECK(test.ports.committing->lsn == 0);
    CHECK(test.ports.committing->fold_below == 3);
    CHECK(test.ports.committing->rows[0].transaction->gid() == "g");
    test.settle();
    REQUIRE(test.submit(two_steps("g"), "again"));
    test.settle();
    CHECK(test.ports.calls.size() == 4);  // forgotten in memory; here no disk remembers it either
  }

  TEST_CASE("the log is not folded past a transaction that has no row yet") {
    TestEngine test;
    test.ports.kinds["waits"] = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(two_steps("short"), "short"));
    REQUIRE(test.commit());
    REQUIRE(test.submit(Saga("long").step("waits", ""), "long"));  // begins in the third batch
    test.settle();
    test.advance(1'000);
    REQUIRE(test.ports.commit_done);
    CHECK(test.ports.committing->fold_below == 3);
  }

  TEST_CASE("a transaction that stays keeps the log only for a while: then a snapshot covers it") {
    TestEngine test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(two_steps("g").request_timeout(Millis{3'600'000}), "first", false));
    test.settle();
    for (int ticks = 0; ticks < 3 && !test.ports.commit_done; ++ticks) test.advance(5'000);
    REQUIRE(test.ports.commit_done);
    REQUIRE(test.ports.committing->rows.size() == 1);
    CHECK(test.ports.committing->rows[0].copy);
    CHECK(test.ports.committing->fold_below == 1);
  }

  TEST_CASE("history says which rows are written; one that is not kept is erased") {
    Options options;
    options.history = History::failed;
    TestEngine test(options);
    test.ports.outcomes.insert_or_assign("bad", Outcome::failure("no"));
    REQUIRE(test.submit(two_steps("good"), "good"));
    REQUIRE(test.submit(Saga("bad").step("bad", ""), "bad"));
    test.settle();
    test.advance(1'000);
    REQUIRE(test.ports.commit_done);
    REQUIRE(test.ports.committing->rows.size() == 1);
    CHECK(test.ports.committing->rows[0].transaction->gid() == "bad");
    CHECK_FALSE(test.ports.committing->rows[0].erase);
  }
}

TEST_SUITE("engine/close") {
  TEST_CASE("closing lets calls in flight end, folds everything and answers whoever waits") {
    TestEngine test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(two_steps("g"), "first"));
    test.settle();
    bool closed = false;
    REQUIRE(test.engine.ask(
        engine::CloseRequest{[&](const Result<>& result) { closed = result.has_value(); }}));
    test.engine.turn();
    test.settle();
    CHECK_FALSE(closed);
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(closed);
    CHECK(test.answers.at("first").error().code == ErrorCode::closed);
    CHECK(test.ports.calls.size() == 1);  // the second branch is the next life's
    CHECK_FALSE(test.engine.ask(
        engine::SubmitRequest{*core::Definition::parse(*encode(two_steps("h"), "h", {})),
                              core::Entry::submit, true, true, test.answer("late")}));
  }

  TEST_CASE("closing on a disk that refuses ends, and says what cannot be known") {
    TestEngine test;
    REQUIRE(test.submit(two_steps("g"), "first", false));
    std::optional<ErrorCode> code;
    REQUIRE(test.engine.ask(engine::CloseRequest{
        [&](const Result<>& result) { code = result ? ErrorCode{} : result.error().code; }}));
    test.engine.turn();
    REQUIRE(test.refuse_commit());
    CHECK(code == ErrorCode::storage);
    CHECK(test.answers.at("first").error().code == ErrorCode::commit_unknown);
  }
}

TEST_SUITE("engine/recovery") {
  core::Transaction begun(const std::string& gid, core::TransactionId id) {
    const auto bytes = *encode(two_steps(gid), gid, {});
    auto transaction =
        *core::begin({.kind = core::RecordKind::submitted, .id = id, .at = 1, .text = bytes});
    REQUIRE(core::apply(transaction, {.kind = core::RecordKind::started, .id = id, .at = 1}));
    return transaction;
  }

  TEST_CASE("what may have been called before a crash is called again, with a larger fence") {
    FakePorts ports;
    ports.default_kind = ports::Caller::Kind::deferred;
    engine::Coordinator engine({}, {ports, ports, ports, ports});
    engine.adopt(begun("g", 5), 9, 9, false);
    engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2});
    engine.turn();
    CHECK(ports.calls == std::vector<std::string>{"01 action"});
    CHECK(ports.fences.at(0) == (std::uint64_t{2} << 32 | 1));
  }

  TEST_CASE("a gid that was forgotten and used again before the crash is one transaction") {
    Options options;
    options.history = History::none;
    FakePorts ports;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    auto ended = begun("g", 5);
    for (const auto branch : {0u, 1u}) {
      if (branch == 1) {
        REQUIRE(core::apply(ended, {.kind = core::RecordKind::started, .id = 5, .branch = 1}));
      }
      REQUIRE(core::apply(ended, {.kind = core::RecordKind::answered, .id = 5, .branch = branch}));
    }
    REQUIRE(core::apply(ended,
                        {.kind = core::RecordKind::finished, .id = 5, .status = Status::succeed}));
    engine.adopt(std::move(ended), 7, 9, false);
    engine.adopt(begun("g", 6), 9, 9, false);
    engine.start({.last_lsn = 9, .last_id = 6, .epoch = 2});
    engine.turn();
    CHECK(ports.calls == std::vector<std::string>{"01 action"});
    CHECK(engine.counters().live == 1);
  }

  TEST_CASE("a word that comes before what was read back has gone on calls its branch once") {
    FakePorts ports;
    ports.default_kind = ports::Caller::Kind::deferred;
    engine::Coordinator engine({}, {ports, ports, ports, ports});
    const auto bytes = *encode(Msg("g").to("a"), "g", {}, core::Entry::prepare);
    engine.adopt(
        *core::begin(
            {.kind = core::RecordKind::prepared, .id = 5, .at = ports.wall_ms(), .text = bytes}),
        9, 9, false);
    engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2});
    REQUIRE(engine.ask(engine::WordRequest{"g", engine::WordRequest::Word::submit, "",
                                           [](const Result<Report>&) {}}));
    engine.turn();
    while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    CHECK(ports.calls.size() == 1);
  }
}

TEST_SUITE("engine/driven") {
  TEST_CASE("who registered a branch hears its end though the transaction leaves memory with it") {
    Options options;
    options.history = History::none;
    TestEngine test(options);
    const auto bytes = *encode(Tcc("g"), "g", {}, core::Entry::prepare);
    REQUIRE(
        test.engine.ask(engine::SubmitRequest{*core::Definition::parse(bytes), core::Entry::prepare,
                                              true, false, test.answer("prepare")}));
    unsigned told = 0;
    for (int i = 0; i < 2; ++i) {
      REQUIRE(test.engine.ask(engine::BranchRequest{"g", *core::encode_branch({"a", "b", "c"}, {}),
                                                    [&told](const Result<Outcome>&) { ++told; }}));
    }
    REQUIRE(test.engine.ask(
        engine::WordRequest{"g", engine::WordRequest::Word::abort, "no", test.answer("abort")}));
    test.engine.turn();
    test.settle();
    CHECK(told == 2);
    CHECK(test.answered.at("abort") == 1);
    CHECK(test.engine.counters().live == 0);
  }
}

}  // namespace belay::test
