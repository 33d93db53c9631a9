// Driven transactions: prepared, their branches added one by one, submitted or aborted.
#include <doctest/doctest.h>

#include "core/apply.h"
#include "engine_fixture.h"

namespace belay::test {

using Calls = std::vector<std::string>;

const TwoPhaseBranch kMeal{"meal.try", "meal.confirm", "meal.cancel"};

// A tcc "g", prepared and on disk.
struct Prepared : TestEngine {
  explicit Prepared(Options wanted = {}) : TestEngine(wanted) {
    REQUIRE(prepare(Tcc("g"), "prepare"));
    settle();
    REQUIRE(answers.at("prepare")->status() == Status::prepared);
  }
  void refuse_for(std::uint64_t ms) {
    for (std::uint64_t passed = 0; passed < ms; passed += 1'000) {
      refuse_commit();
      advance(1'000);
    }
  }
};

TEST_SUITE("engine/driven") {
  TEST_CASE("a prepare is answered when it is on disk, and calls nobody") {
    TestEngine test;
    REQUIRE(test.prepare(Tcc("g"), "first"));
    CHECK(test.answered["first"] == 0);
    REQUIRE(test.commit());
    CHECK(test.answered["first"] == 1);
    CHECK(test.answers.at("first")->status() == Status::prepared);
    test.settle();
    CHECK(test.ports.calls.empty());
  }

  TEST_CASE("a branch is on disk before it is tried, and its answer before it is told") {
    Prepared test;
    REQUIRE(test.branch("g", kSeat, "seat"));
    CHECK(test.ports.calls.empty());
    REQUIRE(test.commit());
    CHECK(test.ports.calls == Calls{"01 try"});
    CHECK(test.answered["seat"] == 0);
    REQUIRE(test.commit());
    REQUIRE(test.answered["seat"] == 1);
    CHECK(test.told.at("seat")->kind() == OutcomeKind::success);
  }

  TEST_CASE("a branch without a first phase is told when it is on disk") {
    Prepared test;
    REQUIRE(test.branch("g", {"", "seat.confirm", "seat.cancel"}, "seat"));
    CHECK(test.answered["seat"] == 0);
    REQUIRE(test.commit());
    CHECK(test.told.at("seat")->kind() == OutcomeKind::success);
    CHECK(test.ports.calls.empty());
  }

  TEST_CASE("a branch's answer is not told when only another branch's is on disk") {
    Prepared test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.branch("g", kSeat, "seat"));
    REQUIRE(test.branch("g", kMeal, "meal"));
    test.settle();
    REQUIRE(test.ports.later.size() == 2);
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    test.engine.answer(test.ports.later[1], Outcome::failure("no meals"));
    test.engine.turn();
    REQUIRE(test.commit());
    CHECK(test.answered["seat"] == 1);
    CHECK(test.answered["meal"] == 0);
    REQUIRE(test.commit());
    REQUIRE(test.answered["meal"] == 1);
    CHECK(test.told.at("meal")->reason() == "no meals");
  }

  TEST_CASE("the word to submit is answered, and acted on, when it is on disk") {
    Prepared test;
    REQUIRE(test.branch("g", kSeat, "seat"));
    REQUIRE(test.branch("g", kMeal, "meal"));
    test.settle();
    REQUIRE(test.submit_word("g", "word"));
    CHECK(test.answered["word"] == 0);
    CHECK(test.ports.calls == Calls{"01 try", "02 try"});
    REQUIRE(test.commit());
    CHECK(test.answered["word"] == 1);
    CHECK(test.answers.at("word")->status() == Status::submitted);
    test.settle();
    CHECK(test.ports.calls == Calls{"01 try", "02 try", "01 confirm", "02 confirm"});
    CHECK(test.engine.counters().succeeded == 1);
  }

  TEST_CASE("the word to abort is answered, and acted on, when it is on disk") {
    Prepared test;
    REQUIRE(test.branch("g", kSeat, "seat"));
    test.settle();
    REQUIRE(test.abort_word("g", "word"));
    CHECK(test.answered["word"] == 0);
    CHECK(test.ports.calls == Calls{"01 try"});
    REQUIRE(test.commit());
    CHECK(test.answered["word"] == 1);
    CHECK(test.answers.at("word")->status() == Status::aborting);
    CHECK(test.answers.at("word")->reason() == "changed my mind");
    test.settle();
    CHECK(test.ports.calls == Calls{"01 try", "01 cancel"});
    CHECK(test.engine.counters().failed == 1);
  }

  TEST_CASE("a branch that did not succeed forbids the submit, and the abort cancels all") {
    Prepared test;
    test.ports.outcomes.insert_or_assign("meal.try", Outcome::failure("no meals"));
    REQUIRE(test.branch("g", kSeat, "seat"));
    REQUIRE(test.branch("g", kMeal, "meal"));
    test.settle();
    CHECK(test.told.at("meal")->kind() == OutcomeKind::failure);
    CHECK(test.told.at("meal")->reason() == "no meals");
    REQUIRE(test.submit_word("g", "submit"));
    CHECK(test.error_of("submit") == ErrorCode::forbidden);
    CHECK(test.answers.at("submit").error().detail.find("branch 02") != std::string::npos);
    REQUIRE(test.abort_word("g", "abort"));
    test.settle();
    CHECK(test.ports.calls.size() == 4);
    CHECK(test.engine.counters().failed == 1);
  }

  TEST_CASE("a branch that is still being tried forbids the submit") {
    Prepared test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.branch("g", kSeat, "seat"));
    REQUIRE(test.submit_word("g", "not on disk"));
    test.settle();
    REQUIRE(test.submit_word("g", "being tried"));
    CHECK(test.error_of("not on disk") == ErrorCode::forbidden);
    CHECK(test.error_of("being tried") == ErrorCode::forbidden);
    CHECK(test.answered["seat"] == 0);
  }

  TEST_CASE("no word by the deadline aborts, and whoever waits for a branch hears it") {
    TestEngine test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.prepare(Tcc("g").timeout_to_fail(Millis{5'000}).request_timeout(Millis{60'000}),
                         "prepare"));
    REQUIRE(test.branch("g", kSeat, "seat"));
    test.settle();
    CHECK(test.ports.alarm_at <= test.ports.monotonic + 5'000);
    test.advance(4'999);
    test.settle();
    CHECK(test.answered["seat"] == 0);
    test.advance(1);
    CHECK(test.answered["seat"] == 0);  // decided, not on disk
    test.settle();
    REQUIRE(test.answered["seat"] == 1);
    CHECK(test.told.at("seat")->kind() == OutcomeKind::unknown);
    CHECK(test.ports.calls == Calls{"01 try"});  // its call is still out
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.ports.calls == Calls{"01 try", "01 cancel"});
  }

  TEST_CASE("a branch that brings no answer for Retry::limit calls is told as unknown") {
    Prepared test;
    Retry retry;
    retry.first_interval = Millis{10};
    retry.jitter = 0;
    retry.limit = 2;
    test.ports.outcomes.insert_or_assign("seat.try", Outcome::unknown("down"));
    auto seat = kSeat;
    seat.options.retry = retry;
    REQUIRE(test.branch("g", seat, "seat"));
    test.settle();
    CHECK(test.answered["seat"] == 0);
    test.advance(10);
    test.settle();
    REQUIRE(test.answered["seat"] == 1);
    CHECK(test.told.at("seat")->kind() == OutcomeKind::unknown);
    CHECK(test.ports.calls == Calls{"01 try", "01 try", "01 cancel"});
  }

  TEST_CASE("a word given twice answers the state, the other word is forbidden") {
    for (const bool submits : {true, false}) {
      CAPTURE(submits);
      Prepared test;
      test.ports.kinds["seat.confirm"] = ports::Caller::Kind::deferred;
      test.ports.kinds["seat.cancel"] = ports::Caller::Kind::deferred;
      REQUIRE(test.branch("g", kSeat, "seat"));
      test.settle();
      const auto word = [&](bool submit, const char* name) {
        REQUIRE((submit ? test.submit_word("g", name) : test.abort_word("g", name)));
      };
      word(submits, "first");
      word(submits, "twice in one batch");
      word(!submits, "other");
      CHECK(test.error_of("other") == ErrorCode::forbidden);
      CHECK(test.answered["twice in one batch"] == 0);
      test.settle();
      word(submits, "twice");
      const auto state = submits ? Status::submitted : Status::aborting;
      for (const auto* name : {"first", "twice in one batch", "twice"}) {
        CAPTURE(name);
        REQUIRE(test.answered[name] == 1);
        CHECK(test.answers.at(name)->status() == state);
      }
      test.engine.answer(test.ports.later[0], Outcome::success());
      test.engine.turn();
      test.settle();
      word(submits, "at the end");
      word(!submits, "other at the end");
      CHECK(test.answers.at("at the end")->finished());
      CHECK(test.error_of("other at the end") == ErrorCode::forbidden);
      CHECK(test.ports.later.size() == 1);
    }
  }

  TEST_CASE("an abort without branches is final at once, and told when it is on disk") {
    Prepared test;
    REQUIRE(test.abort_word("g", "word"));
    CHECK(test.answered["word"] == 0);
    REQUIRE(test.commit());
    CHECK(test.answers.at("word")->status() == Status::failed);
  }

  TEST_CASE("what was prepared is submitted by its definition too, another one is a conflict") {
    TestEngine test;
    const auto description = Tcc("g").branch(kSeat);
    REQUIRE(test.prepare(description, "prepare"));
    test.settle();
    CHECK(test.ports.calls == Calls{"01 try"});
    REQUIRE(test.prepare(description, "again"));
    CHECK(test.answers.at("again")->status() == Status::prepared);
    REQUIRE(test.prepare(Tcc("g").branch(kMeal), "other prepare"));
    REQUIRE(test.submit(Tcc("g").branch(kMeal), "other submit"));
    CHECK(test.error_of("other prepare") == ErrorCode::conflict);
    CHECK(test.error_of("other submit") == ErrorCode::conflict);
    REQUIRE(test.submit(description, "submit"));
    CHECK(test.answered["submit"] == 0);
    test.settle();
    CHECK(test.answers.at("submit")->succeeded());
    CHECK(test.ports.calls == Calls{"01 try", "01 confirm"});
    REQUIRE(test.prepare(description, "at the end"));
    CHECK(test.answers.at("at the end")->succeeded());
  }

  TEST_CASE("branches added later are no part of the definition that is submitted") {
    TestEngine test;
    const auto description = Tcc("g").branch(kSeat);
    REQUIRE(test.prepare(description, "prepare"));
    REQUIRE(test.branch("g", kMeal, "meal"));
    test.settle();
    REQUIRE(test.submit(description, "submit"));
    test.settle();
    CHECK(test.answers.at("submit")->succeeded());
    CHECK(test.ports.calls == Calls{"01 try", "02 try", "01 confirm", "02 confirm"});
  }

  TEST_CASE("a declared tcc takes neither branches nor the word to submit, but may be aborted") {
    TestEngine test;
    test.ports.kinds["seat.try"] = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(Tcc("g").branch(kSeat), "tcc"));
    test.settle();
    REQUIRE(test.branch("g", kMeal, "meal"));
    REQUIRE(test.submit_word("g", "submit"));
    CHECK(test.error_of("meal") == ErrorCode::forbidden);
    CHECK(test.error_of("submit") == ErrorCode::forbidden);
    REQUIRE(test.abort_word("g", "abort"));
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.answers.at("tcc")->status() == Status::failed);
    CHECK(test.ports.calls == Calls{"01 try", "01 cancel"});
  }

  TEST_CASE("a saga that goes forward takes no word and no branch") {
    TestEngine test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.submit(two_steps("g"), "saga"));
    test.settle();
    REQUIRE(test.abort_word("g", "abort"));
    REQUIRE(test.branch("g", kMeal, "meal"));
    CHECK(test.error_of("abort") == ErrorCode::forbidden);
    CHECK(test.error_of("meal") == ErrorCode::forbidden);
  }

  TEST_CASE("a prepared saga calls nobody before the word, by its gid or by its definition") {
    for (const bool by_gid : {true, false}) {
      TestEngine test;
      REQUIRE(test.prepare(two_steps("g"), "prepare"));
      test.settle();
      test.advance(10'000);
      test.settle();
      CHECK(test.answers.at("prepare")->status() == Status::prepared);
      CHECK(test.ports.calls.empty());
      REQUIRE(test.branch("g", kMeal, "meal"));
      CHECK(test.error_of("meal") == ErrorCode::forbidden);
      const auto word =
          by_gid ? test.submit_word("g", "word") : test.submit(two_steps("g"), "word");
      REQUIRE(word.has_value());
      CHECK(test.ports.calls.empty());
      test.settle();
      CHECK(test.engine.counters().succeeded == 1);
      CHECK(test.ports.calls.size() == 2);
    }
  }

  TEST_CASE("a prepared saga that is aborted, or forgotten, fails and calls nobody") {
    TestEngine test;
    REQUIRE(test.prepare(two_steps("aborted"), "aborted"));
    REQUIRE(test.prepare(two_steps("forgotten"), "forgotten"));
    test.settle();
    REQUIRE(test.abort_word("aborted", "word"));
    test.settle();
    CHECK(test.answers.at("word")->status() == Status::failed);
    test.advance(35'000);
    test.settle();
    CHECK(test.engine.counters().failed == 2);
    CHECK(test.ports.calls.empty());
    REQUIRE(test.submit_word("forgotten", "late"));
    test.settle();
    CHECK(test.error_of("late") == ErrorCode::forbidden);
  }

  TEST_CASE("a branch of another mode is refused") {
    TestEngine test;
    REQUIRE(test.prepare(Tcc("g"), "prepare"));
    test.settle();
    auto seat = kSeat;
    seat.mode = Mode::xa;
    REQUIRE(test.branch("g", seat, "xa"));
    CHECK(test.error_of("xa") == ErrorCode::forbidden);
    seat.mode = Mode::tcc;
    REQUIRE(test.branch("g", seat, "tcc"));
    test.settle();
    CHECK(test.told.at("tcc")->kind() == OutcomeKind::success);
  }

  TEST_CASE("a prepared message takes words but no branches") {
    TestEngine test;
    REQUIRE(test.prepare(Msg("g").to("mail"), "prepare"));
    test.settle();
    REQUIRE(test.branch("g", kMeal, "meal"));
    CHECK(test.error_of("meal") == ErrorCode::forbidden);
    REQUIRE(test.submit_word("g", "word"));
    CHECK(test.ports.calls.empty());
    test.settle();
    CHECK(test.answers.at("word")->status() == Status::submitted);
    CHECK(test.ports.calls == Calls{"01 action"});
  }

  TEST_CASE("a gid that nobody prepared is not found") {
    TestEngine test;
    REQUIRE(test.branch("nobody", kSeat, "seat"));
    REQUIRE(test.submit_word("nobody", "submit"));
    REQUIRE(test.abort_word("nobody", "abort"));
    for (const auto* name : {"seat", "submit", "abort"})
      CHECK(test.error_of(name) == ErrorCode::not_found);
    CHECK_FALSE(test.commit());
  }

  TEST_CASE("words on what finished long ago answer its state or are forbidden") {
    TestEngine test;
    test.on_disk["good"].status = Status::succeed;
    test.on_disk["bad"].status = Status::failed;
    REQUIRE(test.submit_word("good", "submit good"));
    REQUIRE(test.abort_word("good", "abort good"));
    REQUIRE(test.submit_word("bad", "submit bad"));
    REQUIRE(test.abort_word("bad", "abort bad"));
    REQUIRE(test.branch("good", kSeat, "seat"));
    CHECK(test.answers.at("submit good")->succeeded());
    CHECK(test.answers.at("abort bad")->status() == Status::failed);
    for (const auto* name : {"abort good", "submit bad", "seat"})
      CHECK(test.error_of(name) == ErrorCode::forbidden);
  }

  TEST_CASE("no branch is added to what is decided") {
    for (const bool submits : {true, false}) {
      Prepared test;
      test.ports.kinds["seat.confirm"] = ports::Caller::Kind::deferred;
      test.ports.kinds["seat.cancel"] = ports::Caller::Kind::deferred;
      REQUIRE(test.branch("g", kSeat, "seat"));
      test.settle();
      REQUIRE((submits ? test.submit_word("g", "word") : test.abort_word("g", "word")));
      REQUIRE(test.branch("g", kMeal, "meal"));
      CHECK(test.error_of("meal") == ErrorCode::forbidden);
      test.settle();
      CHECK(test.ports.calls.size() == 2);
    }
  }

  TEST_CASE("a branch beyond the limits is refused, and leaves nothing") {
    Options options;
    options.limits.branches_max = 1;
    Prepared one(options);
    REQUIRE(one.branch("g", kSeat, "seat"));
    REQUIRE(one.branch("g", kMeal, "meal"));
    CHECK(one.error_of("meal") == ErrorCode::branches_limit);
    one.settle();
    REQUIRE(one.submit_word("g", "word"));
    one.settle();
    CHECK(one.ports.calls == Calls{"01 try", "01 confirm"});

    options = {};
    options.limits.definition_bytes_max = 400;
    Prepared small(options);
    auto large = kSeat;
    large.payload = std::string(200, 'x');
    REQUIRE(small.branch("g", large, "first"));
    REQUIRE(small.branch("g", large, "second"));
    REQUIRE(small.branch("g", kMeal, "third"));
    CHECK(small.error_of("first") == std::nullopt);
    CHECK(small.error_of("second") == ErrorCode::definition_limit);
    CHECK(small.error_of("third") == std::nullopt);
  }

  TEST_CASE("a branch is called by its caller's id in both phases") {
    Prepared test;
    auto seat = kSeat;
    auto meal = kMeal;
    seat.branch_id = "01";
    meal.branch_id = "0101";
    REQUIRE(test.branch("g", seat, "seat"));
    REQUIRE(test.branch("g", meal, "meal"));
    REQUIRE(test.branch("g", kSeat, "third"));
    test.settle();
    REQUIRE(test.submit_word("g", "word"));
    test.settle();
    CHECK(test.ports.calls ==
          Calls{"01 try", "0101 try", "03 try", "01 confirm", "0101 confirm", "03 confirm"});
    CHECK(test.ports.modes == std::vector<Mode>(6, Mode::tcc));
  }

  TEST_CASE("a branch_id that is taken is a conflict, and leaves nothing") {
    Prepared test;
    auto seat = kSeat;
    seat.branch_id = "02";
    REQUIRE(test.branch("g", seat, "own"));
    REQUIRE(test.branch("g", kMeal, "numbered"));
    REQUIRE(test.branch("g", seat, "again"));
    for (const auto* name : {"numbered", "again"}) {
      CHECK(test.error_of(name) == ErrorCode::conflict);
      CHECK(test.told.at(name).error().detail == "the branch_id '02' is another branch's already");
    }
    test.settle();
    REQUIRE(test.submit_word("g", "word"));
    test.settle();
    CHECK(test.ports.calls == Calls{"02 try", "02 confirm"});
  }

  TEST_CASE("requests of all kinds count in the queue's limit") {
    Options options;
    options.limits.queued_submits_max = 6;
    TestEngine test(options);
    const auto ask = [&] {
      using Word = engine::WordRequest::Word;
      const auto step = *core::encode_branch(kSeat, {});
      const auto ignore = [](const auto&) {};
      return std::vector<Result<>>{
          test.engine.ask(engine::FindRequest::find("g", ignore)),
          test.engine.ask(engine::FindRequest::wait("g", Millis{5}, ignore)),
          test.engine.ask(engine::BranchRequest{"g", step, ignore}),
          test.engine.ask(engine::WordRequest{"g", Word::abort, "", ignore}),
          test.engine.ask(engine::TopicRequest{{{"news", "a", ""}, TopicKind::subscribe}, ignore}),
          test.engine.ask(engine::TopicsRequest{ignore}),
      };
    };
    for (const auto& taken : ask()) CHECK(taken.has_value());
    CHECK(test.engine.counters().queued == 6);
    for (const auto& refused : ask()) {
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::busy);
    }
    test.engine.turn();
    CHECK(test.engine.counters().queued == 4);  // those whose gid is being looked up
    test.answer_lookup();
    test.settle();
    CHECK(test.engine.counters().queued == 0);
    for (const auto& taken : ask()) CHECK(taken.has_value());
  }
}

TEST_SUITE("engine/driven storage") {
  TEST_CASE("a disk that refuses a prepare: not acknowledged, and told when patience ends") {
    TestEngine test;
    REQUIRE(test.prepare(Tcc("g"), "prepare"));
    REQUIRE(test.refuse_commit());
    CHECK(test.answered["prepare"] == 0);
    REQUIRE(test.branch("g", kSeat, "seat"));
    REQUIRE(test.submit_word("g", "submit"));
    REQUIRE(test.abort_word("g", "abort"));
    for (const auto* name : {"seat", "submit", "abort"})
      CHECK(test.error_of(name) == ErrorCode::storage);
    for (int i = 0; i < 20 && test.answered["prepare"] == 0; ++i) {
      test.refuse_commit();
      test.advance(1'000);
    }
    CHECK(test.error_of("prepare") == ErrorCode::commit_unknown);
  }

  TEST_CASE("a disk that refuses a branch: it is not tried, and goes on when the disk is back") {
    Prepared test;
    REQUIRE(test.branch("g", kSeat, "patient"));
    test.refuse_for(3'000);
    CHECK(test.ports.calls.empty());
    CHECK(test.answered["patient"] == 0);
    test.advance(5'000);
    test.settle();
    CHECK(test.told.at("patient")->kind() == OutcomeKind::success);
    REQUIRE(test.branch("g", kMeal, "meal"));
    test.refuse_for(15'000);
    CHECK(test.error_of("meal") == ErrorCode::commit_unknown);
    CHECK(test.ports.calls == Calls{"01 try"});
    test.advance(5'000);
    test.settle();
    CHECK(test.answered["meal"] == 1);
    CHECK(test.ports.calls == Calls{"01 try", "02 try"});
  }

  TEST_CASE("a disk that refuses a branch's answer: the answer is not told") {
    Prepared test;
    REQUIRE(test.branch("g", kSeat, "seat"));
    REQUIRE(test.commit());
    CHECK(test.ports.calls.size() == 1);
    test.refuse_for(3'000);
    CHECK(test.answered["seat"] == 0);
    test.refuse_for(12'000);
    CHECK(test.error_of("seat") == ErrorCode::commit_unknown);
    test.advance(5'000);
    test.settle();
    CHECK(test.answered["seat"] == 1);
    REQUIRE(test.submit_word("g", "word"));  // the answer was kept all the same
    test.settle();
    CHECK(test.engine.counters().succeeded == 1);
    CHECK(test.ports.calls == Calls{"01 try", "01 confirm"});
  }

  TEST_CASE("a disk that refuses a word: nothing is acknowledged, nobody is called") {
    for (const bool submits : {true, false}) {
      CAPTURE(submits);
      Prepared test;
      REQUIRE(test.branch("g", kSeat, "seat"));
      test.settle();
      REQUIRE((submits ? test.submit_word("g", "word") : test.abort_word("g", "word")));
      test.refuse_for(3'000);
      CHECK(test.answered["word"] == 0);
      CHECK(test.ports.calls.size() == 1);
      test.refuse_for(12'000);
      CHECK(test.error_of("word") == ErrorCode::commit_unknown);
      CHECK(test.ports.calls.size() == 1);
      test.advance(5'000);
      test.settle();
      CHECK(test.ports.calls.size() == 2);
      CHECK(test.engine.counters().live == 0);
    }
  }

  TEST_CASE("a deadline that comes while the disk refuses aborts when the disk is back") {
    Prepared test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.branch("g", kSeat, "seat"));
    test.settle();
    test.engine.answer(test.ports.later[0], Outcome::success());
    test.engine.turn();
    test.refuse_for(40'000);
    CHECK(test.ports.calls == Calls{"01 try"});
    test.advance(5'000);
    test.settle();
    CHECK(test.ports.calls == Calls{"01 try", "01 cancel"});
  }

  TEST_CASE("what was being looked up when the disk began to refuse is refused too") {
    Prepared test;
    REQUIRE(test.branch("g", kSeat, "seat"));
    const auto step = *core::encode_branch(kMeal, {});
    const auto keep = [&](const char* name) {
      return [&test, name](const Result<Outcome>& result) {
        ++test.answered[name];
        test.told.insert_or_assign(name, result);
      };
    };
    REQUIRE(test.engine.ask(engine::BranchRequest{"late", step, keep("late")}));
    auto definition =
        core::Definition::parse(*encode(Tcc("late"), "late", {}, core::Entry::prepare));
    REQUIRE(test.engine.ask(engine::SubmitRequest{std::move(*definition), core::Entry::prepare,
                                                  false, false, test.answer("late prepare")}));
    test.engine.turn();
    REQUIRE(test.refuse_commit());
    test.answer_lookup();
    CHECK(test.error_of("late") == ErrorCode::storage);
    CHECK(test.error_of("late prepare") == ErrorCode::storage);
  }

  TEST_CASE("closing tells those who wait for a branch that it goes on at the next open") {
    Prepared test;
    test.ports.default_kind = ports::Caller::Kind::deferred;
    REQUIRE(test.branch("g", kSeat, "seat"));
    test.settle();
    std::optional<bool> closed;
    REQUIRE(test.engine.ask(
        engine::CloseRequest{[&](const Result<>& result) { closed = result.has_value(); }}));
    test.engine.turn();
    REQUIRE(test.branch("g", kMeal, "late"));
    CHECK(test.error_of("late") == ErrorCode::closed);
    test.settle();
    CHECK_FALSE(closed);  // the call is still out
    test.advance(35'000);
    test.settle();
    CHECK(closed == true);
    CHECK(test.error_of("seat") == ErrorCode::closed);
  }

  TEST_CASE("closing on a disk that refuses tells those who wait for a branch or a topic") {
    Prepared test;
    REQUIRE(test.branch("g", kSeat, "seat"));
    REQUIRE(test.subscribe({"news", "a"}, "subscribe"));
    REQUIRE(test.list_topics("topics"));
    std::optional<ErrorCode> code;
    REQUIRE(test.engine.ask(engine::CloseRequest{
        [&](const Result<>& result) { code = result ? ErrorCode{} : result.error().code; }}));
    test.engine.turn();
    CHECK(test.answered["seat"] + test.answered["subscribe"] + test.answered["topics"] == 0);
    REQUIRE(test.refuse_commit());
    CHECK(code == ErrorCode::storage);
    for (const auto* name : {"seat", "subscribe", "topics"})
      CHECK(test.error_of(name) == ErrorCode::commit_unknown);
    CHECK(test.ports.calls.empty());
  }
}

TEST_SUITE("engine/driven recovery") {
  // Prepared with the seat's try begun and the meal's answered.
  core::Transaction recovered() {
    const auto bytes = *encode(Tcc("g"), "g", {}, core::Entry::prepare);
    const std::uint64_t at = 1'700'000'000'000;
    auto transaction =
        *core::begin({.kind = core::RecordKind::prepared, .id = 5, .at = at, .text = bytes});
    const auto apply = [&](core::Record record) {
      record.id = 5;
      record.at = at;
      REQUIRE(core::apply(transaction, record));
    };
    for (const auto& branch : {kSeat, kMeal}) {
      const auto step = *core::encode_branch(branch, {});
      const auto index = static_cast<std::uint32_t>(transaction.branches.size());
      apply({.kind = core::RecordKind::added, .text = step});
      apply({.kind = core::RecordKind::started, .branch = index, .op = Op::try_});
    }
    apply({.kind = core::RecordKind::answered, .branch = 1, .op = Op::try_});
    return transaction;
  }

  TEST_CASE("a prepared one's open tries are made again, and the word may still be given") {
    FakePorts ports;
    engine::Coordinator engine({}, {ports, ports, ports, ports});
    engine.adopt(recovered(), 9, 9, false);
    engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2});
    engine.turn();
    CHECK(ports.calls == Calls{"01 try"});
    CHECK(ports.alarm_at <= ports.monotonic + 35'000);
    const auto commit = [&] {
      while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    };
    commit();
    std::optional<Status> status;
    REQUIRE(engine.ask(
        engine::WordRequest{"g", engine::WordRequest::Word::submit, "",
                            [&](const Result<Report>& report) { status = report->status(); }}));
    engine.turn();
    commit();
    CHECK(status == Status::submitted);
    CHECK(ports.calls == Calls{"01 try", "01 confirm", "02 confirm"});
  }

  TEST_CASE("a prepared one's deadline counts from before the crash") {
    FakePorts ports;
    ports.default_kind = ports::Caller::Kind::deferred;
    ports.wall += 40'000;  // the crash took longer than the deadline
    engine::Coordinator engine({}, {ports, ports, ports, ports});
    engine.adopt(recovered(), 9, 9, false);
    engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2});
    engine.turn();
    CHECK(ports.calls.empty());
    while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    CHECK(ports.calls == Calls{"02 cancel", "01 cancel"});
  }
}

}  // namespace belay::test
