// The requests that other processes post: when they are read, and that each is answered in the
// batch that holds its effect.
#include <doctest/doctest.h>

#include "core/apply.h"
#include "engine_fixture.h"

namespace belay::test {
namespace {

using Calls = std::vector<std::string>;
using Kind = ports::Caller::Kind;

ports::PostedRequest submit_of(std::int64_t id, const std::string& gid) {
  ports::PostedRequest request{.id = id, .asked = {.gid = gid}};
  const auto name = gid.empty() ? "made" + std::to_string(id) : gid;
  auto bytes = encode(two_steps(name), name);
  request.definition = *core::Definition::parse(*bytes);
  return request;
}

ports::PostedRequest order_of(std::int64_t id, Verb verb, const std::string& gid) {
  return {.id = id, .asked = {.verb = verb, .gid = gid, .reason = "because", .asked_by = "ann"}};
}

// As a crash leaves it: its first branch may have been called.
core::Transaction started(const Saga& saga, std::uint64_t id, std::uint64_t at) {
  const auto bytes = *encode(saga, saga.gid());
  auto transaction =
      *core::begin({.kind = core::RecordKind::submitted, .id = id, .at = at, .text = bytes});
  REQUIRE(core::apply(transaction, {.kind = core::RecordKind::started, .id = id, .at = at}));
  return transaction;
}

struct Posted : TestEngine {
  using TestEngine::TestEngine;

  // Another process has written these rows.
  void post(std::vector<ports::PostedRequest> requests, bool more = false) {
    engine.look_for_posted();
    REQUIRE(give(std::move(requests), more));
  }
  // False: nothing is being read.
  bool give(std::vector<ports::PostedRequest> requests, bool more = false) {
    if (!ports.posted_done) return false;
    std::exchange(ports.posted_done, nullptr)(ports::Store::Posted{std::move(requests), more});
    answer_lookup();
    return true;
  }
  // The answers in the batch that the store has.
  std::string answers_in_batch() const {
    std::string all;
    if (!ports.commit_done) return all;
    for (const auto& answer : ports.committing->answers) {
      all += all.empty() ? "" : ", ";
      all += std::to_string(answer.id) + " " + answer.gid + " " + answer.answer;
    }
    return all;
  }
  // Those in the batches until nothing is left to commit.
  std::string answers_to_come() {
    std::string all;
    do {
      const auto some = answers_in_batch();
      all += (all.empty() || some.empty() ? "" : ", ") + some;
    } while (commit());
    return all;
  }
  std::uint32_t records_in_batch() const {
    if (!ports.commit_done || ports.committing->lsn == 0) return 0;
    return core::BatchReader::open(ports.committing->records)->count();
  }
};

}  // namespace

TEST_SUITE("engine/posted") {
  TEST_CASE("a posted submit is answered in the batch that holds its record") {
    Posted test;
    test.settle();
    test.post({submit_of(1, "g")});
    CHECK(test.records_in_batch() == 2);  // submitted, started
    CHECK(test.answers_in_batch() == "1 g taken");
    CHECK(test.ports.calls.empty());
    test.settle();
    CHECK(test.ports.calls.size() == 2);
    // The same again, as after a crash of whoever did not see the answer.
    ports::StoredSummary stored;
    stored.gid = "g";
    stored.id = 1;
    stored.status = Status::succeed;
    stored.definition_hash = submit_of(2, "g").definition->hash();
    test.on_disk["g"] = stored;
    test.post({submit_of(2, "g")});
    CHECK(test.answers_in_batch() == "2 g taken");
    CHECK(test.records_in_batch() == 0);
    test.settle();
    CHECK(test.ports.calls.size() == 2);
  }

  TEST_CASE("a posted submit without a gid gets one, which its answer tells") {
    Posted test;
    test.settle();
    test.post({submit_of(1, "")});
    CHECK(test.answers_in_batch() == "1 made1 taken");
    CHECK(test.ports.lookup_done == nullptr);
  }

  TEST_CASE("what can never be done is refused, with its error") {
    Posted test;
    test.settle();
    auto wrong = order_of(1, Verb::stop, "w");
    wrong.wrong = Error{ErrorCode::invalid_argument, "the body is no JSON"};
    auto other = submit_of(4, "g");
    other.definition = *core::Definition::parse(*encode(Saga("g").step("c", ""), "g"));
    auto unknown = order_of(3, Verb::stop, "g");
    unknown.wrong = Error{ErrorCode::unsupported, "the verb is not known"};
    test.post({wrong, order_of(2, Verb::stop, "nobody"), unknown, submit_of(5, "g"), other});
    CHECK(test.engine.counters().queued == 0);
    CHECK(test.answers_to_come() ==
          "1 w invalid_argument, 3 g unsupported, 2 nobody not_found, 5 g taken, 4 g conflict");
  }

  TEST_CASE("a posted stop tells who and why, and is answered when it is decided") {
    Posted test;
    test.ports.default_kind = Kind::deferred;
    REQUIRE(test.submit(two_steps("g"), "run"));
    test.settle();
    test.post({order_of(1, Verb::stop, "g")});
    CHECK(test.answers_in_batch() == "1 g taken");
    test.settle();
    test.engine.answer(test.ports.later.at(0), Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.answers.at("run")->reason() == "because (by ann)");
  }

  TEST_CASE("a saga that goes forward turns back when that is posted, and a message does not") {
    Posted test;
    test.ports.outcomes.emplace("b", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g"), "run"));
    REQUIRE(test.submit(Msg("m").to("b"), "msg"));
    test.settle();
    test.post(
        {order_of(1, Verb::back, "g"), order_of(2, Verb::back, "m"), order_of(3, Verb::back, "g")});
    CHECK(test.answers_in_batch() == "1 g taken, 2 m forbidden, 3 g taken");
    test.settle();
    CHECK(test.answers.at("run")->status() == Status::failed);
    CHECK(test.answers.at("run")->reason() == "because (by ann)");
    CHECK(test.ports.targets == Calls{"a", "b", "b", "undo b", "undo a"});
  }

  TEST_CASE("a posted replay calls at once what waits for its time") {
    Posted test;
    test.ports.outcomes.emplace("a", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g"), "run"));
    test.settle();
    REQUIRE(test.ports.calls.size() == 1);
    test.post({order_of(1, Verb::replay, "g")});
    CHECK(test.answers_in_batch() == "1 g taken");
    test.settle();
    CHECK(test.ports.calls.size() == 2);
  }

  TEST_CASE("a replay that nobody answers makes no pause longer, and its reason is kept") {
    Posted test;
    test.ports.outcomes.emplace("a", Outcome::unknown("down"));
    REQUIRE(test.submit(two_steps("g").retry({.first_interval = Millis{100}, .jitter = 0}), "run"));
    test.settle();
    for (std::int64_t id = 1; id <= 5; ++id) {
      test.post({order_of(id, Verb::replay, "g")});
      test.settle();
    }
    REQUIRE(test.ports.calls.size() == 6);
    CHECK(test.ports.alarm_at <= test.ports.monotonic + 100);
    test.advance(100);
    test.settle();
    CHECK(test.ports.calls.size() == 7);
    test.advance(199);
    test.settle();
    CHECK(test.ports.calls.size() == 7);
    test.advance(1);
    test.settle();
    CHECK(test.ports.calls.size() == 8);
  }

  TEST_CASE("a branch is resolved while nobody calls it; a waiting call is withdrawn for it") {
    Posted test;
    test.ports.default_kind = Kind::deferred;
    REQUIRE(test.submit(Saga("g").step("a", "").step("b", ""), "run"));
    test.settle();
    auto resolve = order_of(1, Verb::resolve, "g");
    resolve.asked.branch_id = "01";
    resolve.asked.op = Op::action;
    resolve.asked.outcome = OutcomeKind::success;
    test.post({resolve});
    CHECK(test.answers_to_come() == "");  // its call is in flight
    test.ports.shut.insert('b');
    test.engine.answer(test.ports.later.at(0), Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.ports.calls == Calls{"01 action"});  // that of b waits
    test.advance(1'000);
    auto second = resolve;
    second.id = 2;
    second.asked.branch_id = "02";
    REQUIRE(test.give({resolve, second}));
    CHECK(test.answers_to_come() == "1 g forbidden, 2 g taken");
    test.settle();
    CHECK(test.answers.at("run")->succeeded());
    CHECK(test.ports.calls == Calls{"01 action"});
    test.ports.shut.clear();
    test.engine.lane_opened('b');
    test.engine.turn();
    test.settle();
    CHECK(test.ports.calls == Calls{"01 action"});
  }

  TEST_CASE("the next part is read when the answers to this one are on disk") {
    Posted test;
    test.settle();
    test.post({submit_of(1, "g"), submit_of(2, "h")}, true);
    test.engine.look_for_posted();
    CHECK(test.ports.posted_done == nullptr);
    REQUIRE(test.commit());
    REQUIRE(test.ports.posted_done != nullptr);
    CHECK(test.ports.posted_query->after == 2);
    REQUIRE(test.give({}));
    test.settle();
    CHECK(test.ports.posted_done == nullptr);  // nothing new: nothing is read
  }

  TEST_CASE("without room submits wait in the file, and what an operator posts does not") {
    Options options;
    options.limits.live_transactions_max = 1;
    Posted test(options);
    test.ports.default_kind = Kind::deferred;
    REQUIRE(test.submit(two_steps("first"), "run"));
    test.settle();
    test.post({submit_of(1, "g"), submit_of(2, "h"), order_of(3, Verb::replay, "first"),
               order_of(4, Verb::stop, "g")});
    CHECK(test.answers_to_come() == "3 first taken");  // the stop waits for its submit
    CHECK(test.engine.counters().refused == 0);
    test.settle();
    test.engine.look_for_posted();
    REQUIRE(test.ports.posted_query->without_submits);
    REQUIRE(test.give({order_of(5, Verb::stop, "first")}));
    CHECK(test.answers_in_batch() == "5 first taken");
    test.engine.answer(test.ports.later.at(0), Outcome::success());
    test.engine.turn();
    test.settle();
    CHECK(test.ports.posted_done == nullptr);
    CHECK(test.ports.alarm_at <= test.ports.monotonic + 1'000);
    test.advance(1'000);
    REQUIRE(test.ports.posted_done != nullptr);
    CHECK_FALSE(test.ports.posted_query->without_submits);
    CHECK(test.ports.posted_query->after == 0);
    REQUIRE(test.give({submit_of(1, "g"), submit_of(2, "h"), order_of(4, Verb::stop, "g")}));
    CHECK(test.answers_to_come() == "1 g taken, 4 g taken");
  }

  TEST_CASE("of what waits only so much is in memory") {
    Posted test;
    test.ports.default_kind = Kind::deferred;
    std::vector<ports::PostedRequest> resolves;
    for (std::int64_t id = 1; id <= 1'024; ++id) {
      const auto gid = "g" + std::to_string(id);
      REQUIRE(test.submit(two_steps(gid), gid, false));
      auto resolve = order_of(id, Verb::resolve, gid);
      resolve.asked.branch_id = "01";
      resolve.asked.op = Op::action;
      resolves.push_back(std::move(resolve));
    }
    test.settle();
    test.post(std::move(resolves), true);
    test.settle();
    CHECK(test.ports.posted_done == nullptr);  // there is more, and it stays in the file
    test.advance(1'000);
    CHECK(test.ports.posted_done != nullptr);
    CHECK(test.ports.posted_query->after == 0);
  }

  TEST_CASE("while the disk refuses nothing is read, and what was read waits") {
    Posted test;
    test.settle();
    test.post({submit_of(1, "g")});
    REQUIRE(test.refuse_commit());
    test.engine.look_for_posted();
    CHECK(test.ports.posted_done == nullptr);
    test.advance(1'000);
    CHECK(test.answers_in_batch() == "1 g taken");  // the same batch again
    test.settle();
    test.engine.turn();
    CHECK(test.ports.posted_done != nullptr);
  }

  TEST_CASE("what was posted before the start comes before any call, submits after it") {
    FakePorts ports;
    Options options;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    engine.adopt(started(two_steps("g"), 5, ports.wall), 9, 9, false);
    engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2, .has_posted = true});
    engine.turn();
    const auto settle = [&] {
      while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    };
    settle();
    CHECK(ports.calls.empty());
    REQUIRE(ports.posted_query->without_submits);
    std::exchange(ports.posted_done,
                  nullptr)(ports::Store::Posted{{order_of(7, Verb::stop, "g")}, false});
    settle();
    REQUIRE(ports.posted_done != nullptr);
    CHECK_FALSE(ports.posted_query->without_submits);
    std::exchange(ports.posted_done, nullptr)(ports::Store::Posted{{submit_of(6, "")}, false});
    settle();
    CHECK(ports.targets == std::vector<std::string>{"a", "b"});  // those of the submit
    CHECK(engine.counters().failed == 1);
    CHECK(engine.counters().succeeded == 1);
  }

  TEST_CASE("a submit that is repeated in the first turn does not let its transaction go on") {
    FakePorts ports;
    Options options;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    engine.adopt(started(two_steps("g"), 5, ports.wall), 9, 9, false);
    engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2, .has_posted = true});
    std::optional<Result<Report>> told;
    REQUIRE(engine.ask(engine::SubmitRequest{
        *core::Definition::parse(*encode(two_steps("g"), "g")), core::Entry::submit, false, true,
        [&told](const Result<Report>& report) { told = report; }}));
    engine.turn();
    CHECK(ports.calls.empty());
    REQUIRE(ports.posted_done != nullptr);
    std::exchange(ports.posted_done,
                  nullptr)(ports::Store::Posted{{order_of(1, Verb::stop, "g")}, false});
    while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    CHECK(ports.calls.empty());
    REQUIRE(told.has_value());
    CHECK((*told)->status() == Status::failed);
  }

  TEST_CASE("what was posted on a dead file to turn back or resolve comes before any call, too") {
    FakePorts ports;
    Options options;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    for (const std::uint64_t id : std::initializer_list<std::uint64_t>{5, 6}) {
      const auto gid = "g" + std::to_string(id);
      engine.adopt(started(two_steps(gid), id, ports.wall), 9, 9, false);
    }
    engine.start({.last_lsn = 9, .last_id = 6, .epoch = 2, .has_posted = true});
    engine.turn();
    auto resolve = order_of(2, Verb::resolve, "g6");
    resolve.asked.branch_id = "01";
    resolve.asked.op = Op::action;
    resolve.asked.outcome = OutcomeKind::success;
    auto other_op = resolve;
    other_op.id = 3;
    other_op.asked.op = Op::compensate;
    std::exchange(ports.posted_done, nullptr)(
        ports::Store::Posted{{order_of(1, Verb::back, "g5"), other_op, resolve}, false});
    while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    CHECK(ports.targets == Calls{"undo a", "b"});
    CHECK(engine.counters().failed == 1);
    CHECK(engine.counters().succeeded == 1);
  }

  TEST_CASE("an engine that leaves submits to another takes all else") {
    Options options;
    options.takes_posted_submits = false;
    Posted test(options);
    test.settle();
    test.engine.look_for_posted();
    CHECK(test.ports.posted_query->without_submits);
    REQUIRE(test.give({order_of(1, Verb::stop, "nobody")}));
    CHECK(test.answers_to_come() == "1 nobody not_found");
    test.engine.look_for_posted();
    CHECK(test.ports.posted_query->without_submits);
    CHECK(test.ports.posted_query->after == 1);
  }

  TEST_CASE("what waits for its time wakes nobody while something else is under way") {
    Options options;
    options.limits.live_transactions_max = 1;
    Posted test(options);
    test.ports.default_kind = Kind::deferred;
    REQUIRE(test.submit(two_steps("first"), "run"));
    test.settle();
    test.post({submit_of(1, "g")});
    test.settle();
    CHECK(test.ports.alarm_at > test.ports.monotonic);
    test.engine.look_for_posted();  // a read that takes long
    test.advance(1'500);
    CHECK(test.ports.alarm_at > test.ports.monotonic);
    REQUIRE(test.give({}));
    CHECK(test.ports.posted_done != nullptr);
    test.post({submit_of(1, "g"), order_of(2, Verb::stop, "x")});
    REQUIRE(test.engine.ask(engine::CloseRequest{[](const Result<>&) {}}));
    test.engine.turn();
    test.settle();
    CHECK(test.ports.alarm_at > test.ports.monotonic);
  }

  TEST_CASE("an engine that makes no calls carries out what is asked, and nothing else") {
    FakePorts ports;
    Options options;
    options.makes_calls = false;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    for (const std::uint64_t id : std::initializer_list<std::uint64_t>{5, 6}) {
      const auto gid = "g" + std::to_string(id);
      const auto saga = two_steps(gid).timeout_to_fail(Millis{10});
      engine.adopt(started(saga, id, ports.wall), 9, 9, false);
    }
    engine.start({.last_lsn = 9, .last_id = 6, .epoch = 2});
    std::map<std::string, Status> told;
    for (const auto word : {engine::WordRequest::Word::back, engine::WordRequest::Word::stop}) {
      REQUIRE(engine.ask(engine::WordRequest{"g5", word, "why", [&](const Result<Report>& report) {
                                               told["g5"] = report->status();
                                             }}));
      engine.turn();
      while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    }
    ports.monotonic += 1'000;
    ports.wall += 1'000;
    engine.turn();
    while (ports.commit_done) std::exchange(ports.commit_done, nullptr)(ports::StoreFigures{});
    std::map<engine::WordRequest::Word, ErrorCode> refused;
    for (const auto word : {engine::WordRequest::Word::abort, engine::WordRequest::Word::hasten}) {
      REQUIRE(engine.ask(
          engine::WordRequest{"g6", word, "why", [&refused, word](const Result<Report>& report) {
                                refused[word] = report.error().code;
                              }}));
      engine.turn();
    }
    CHECK(refused[engine::WordRequest::Word::abort] == ErrorCode::forbidden);  // it goes forward
    CHECK(refused[engine::WordRequest::Word::hasten] == ErrorCode::busy);
    CHECK(ports.calls.empty());
    CHECK(told["g5"] == Status::failed);
    CHECK(engine.counters().failed == 1);  // the other one's deadline waits
    CHECK(ports.alarm_at > ports.monotonic);
  }
}

}  // namespace belay::test
