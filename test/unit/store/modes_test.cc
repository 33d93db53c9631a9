// Transactions of the two-phase modes and messages, in the log, in rows, and read back.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "belay/msg.h"
#include "belay/tcc.h"
#include "support/process.h"
#include "unit/core/samples.h"
#include "unit/core/transactions.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

using namespace belay;
using namespace belay::test;

namespace {

const TwoPhaseBranch kSeat{"seat.try", "seat.confirm", "seat.cancel", "7A"};
const TwoPhaseBranch kMeal{"meal.try", "meal.confirm", "meal.cancel"};

Retry each_second() {
  Retry retry;
  retry.first_interval = Millis{1'000};
  retry.jitter = 0;
  return retry;
}

// One of each mode, and of each way to wait.
struct Modes {
  Modes() {
    story.topics()["news"].subscribers = {{"reader.a", ""}, {"reader.b", "late"}};
    confirming();
    cancelling();
    trying();
    checked();
    parked();
    given_up();
  }

  // Declared; the second confirm does not answer.
  void confirming() {
    const auto id =
        story.submit(Tcc("t-confirming").branch(kSeat).branch(kMeal).retry(each_second()));
    story.decide(id, core::Begun{});
    story.wait(1);
    for (const auto branch : {0u, 1u})
      story.decide_answer(id, branch, Op::try_, Outcome::success());
    story.decide_answer(id, 0, Op::confirm, Outcome::success());
    story.decide_answer(id, 1, Op::confirm, Outcome::unknown("HTTP 502"));
  }
  // Driven, a branch added that was refused; the other's cancel has no handler.
  void cancelling() {
    const auto id = story.submit(Tcc("t-cancelling").branch(kSeat), core::Entry::prepare);
    story.decide(id, core::Begun{});
    story.decide_answer(id, 0, Op::try_, Outcome::success());
    add(id, kMeal);
    story.decide_answer(id, 1, Op::try_, Outcome::failure("no meals"));
    story.decide(id, core::WordAbort{"no meals today"});
    story.decide_answer(id, 1, Op::cancel, Outcome::success());
    story.decide(id, core::Unregistered{0, Op::cancel});
  }
  // Driven, nothing decided; one prepared, one being asked.
  void trying() {
    const auto id = story.submit(Xa("x-trying"), core::Entry::prepare);
    story.decide(id, core::Begun{});
    add(id, kSeat);
    add(id, {"", "meal.commit", "meal.rollback"});
  }
  // Its back-check said yes at the second time; it went to two subscribers and a plain target.
  void checked() {
    const auto id = story.submit(Msg("m-checked")
                                     .to("topic://news", "hello")
                                     .to("mail", "hi")
                                     .query("did it")
                                     .retry(each_second())
                                     .concurrent()
                                     .timeout_to_fail(Millis{500}),
                                 core::Entry::prepare);
    story.decide(id, core::Begun{});
    story.wait(500);
    story.decide(id, core::Due{});
    story.decide_answer(id, 2, Op::query, Outcome::unknown("down"));
    story.wait(1'000);
    story.decide(id, core::Due{});
    story.decide_answer(id, 2, Op::query, Outcome::success());
    story.decide_answer(id, 3, Op::action, Outcome::success());
    story.decide_answer(id, 1, Op::action, Outcome::ongoing("busy"));
  }
  // Its back-check has no handler.
  void parked() {
    const auto id =
        story.submit(Msg("m-parked").to("mail").query("did it").timeout_to_fail(Millis{5}),
                     core::Entry::prepare);
    story.decide(id, core::Begun{});
    story.wait(5);
    story.decide(id, core::Due{});
    story.decide(id, core::Unregistered{1, Op::query});
  }
  // No word came, and nobody is to be asked.
  void given_up() {
    const auto id =
        story.submit(Msg("m-given-up").to("mail").timeout_to_fail(Millis{5}), core::Entry::prepare);
    story.decide(id, core::Begun{});
    story.wait(5);
    story.decide(id, core::Due{});
  }
  void add(core::TransactionId id, const TwoPhaseBranch& branch) {
    story.decide(id, core::Added{*core::encode_branch(branch, {})});
  }

  // As a journal leaves it: in the log alone, or in rows that cover the log.
  void write(bool rows) {
    const auto journal = open_journal(path);
    auto batch = story.batch();
    if (rows) {
      for (const auto& [id, transaction] : story.all()) story.add_row(batch, id);
    }
    commit(*journal, batch);
    if (!rows) return;
    story.submit("s-last");
    auto next = story.batch();
    next.fold_below = next.lsn;
    commit(*journal, next);
    REQUIRE(journal->close().has_value());
  }

  std::string branches(const std::string& gid) const {
    auto reader = open_reader(path);
    const auto whole = reader.read(gid);
    REQUIRE(whole.has_value());
    std::string all;
    for (auto row : whole->branches) {
      if (row.due_at) row.due_at = *row.due_at - Millis{Story::kBegin};
      all += text(row) + "\n";
    }
    return all;
  }
  std::string timeline(const std::string& gid) const {
    auto reader = open_reader(path);
    const auto whole = reader.read(gid);
    REQUIRE(whole.has_value());
    std::string all;
    for (auto row : whole->timeline) {
      row.at -= Millis{Story::kBegin};
      all += text(row) + "\n";
    }
    return all;
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  Story story;
};

}  // namespace

TEST_SUITE("store/modes") {
  TEST_CASE("the log and the rows tell the same of every mode") {
    std::vector<std::string> told;
    for (const bool rows : {false, true}) {
      Modes modes;
      if (!rows) modes.story.submit("s-last");
      modes.write(rows);
      auto reader = open_reader(modes.path);
      told.push_back(everything(reader));
    }
    CHECK(told[0] == told[1]);
    CHECK(told[0].find("t-cancelling|tcc|aborting|stuck|") != std::string::npos);
    CHECK(told[0].find("m-parked|msg|prepared|stuck|") != std::string::npos);
    CHECK(told[0].find("|branch 00 (query ") != std::string::npos);
  }

  TEST_CASE("a branch of two phases has a row for each op, and only one second phase ran") {
    for (const bool rows : {false, true}) {
      Modes modes;
      modes.write(rows);
      CHECK(modes.branches("t-confirming") ==
            "01|try|seat.try|succeed|1||-\n"
            "01|cancel|seat.cancel|idle|0||-\n"
            "01|confirm|seat.confirm|succeed|1||-\n"
            "02|try|meal.try|succeed|1||-\n"
            "02|cancel|meal.cancel|idle|0||-\n"
            "02|confirm|meal.confirm|started|1|HTTP 502|1001\n");
      CHECK(modes.branches("t-cancelling") ==
            "01|try|seat.try|succeed|1||-\n"
            "01|cancel|seat.cancel|parked|0|no handler named 'seat.cancel' is registered|-\n"
            "01|confirm|seat.confirm|idle|0||-\n"
            "02|try|meal.try|failed|1||-\n"
            "02|cancel|meal.cancel|succeed|1||-\n"
            "02|confirm|meal.confirm|idle|0||-\n");
      CHECK(modes.branches("x-trying") ==
            "01|prepare|seat.try|started|0||-\n"
            "01|rollback|seat.cancel|idle|0||-\n"
            "01|commit|seat.confirm|idle|0||-\n"
            "02|prepare||succeed|1||-\n"
            "02|rollback|meal.rollback|idle|0||-\n"
            "02|commit|meal.commit|idle|0||-\n");
    }
  }

  TEST_CASE("a message has a row for each target, its back-check's is 00, subscribers come last") {
    for (const bool rows : {false, true}) {
      Modes modes;
      modes.write(rows);
      CHECK(modes.branches("m-checked") ==
            "01|action|topic://news|succeed|1||-\n"
            "02|action|mail|started|1|busy|11501\n"
            "00|query|did it|succeed|2||-\n"
            "04|action|reader.a|succeed|1||-\n"
            "05|action|reader.b|started|0||-\n");
      CHECK(modes.branches("m-parked") ==
            "01|action|mail|idle|0||-\n"
            "00|query|did it|parked|0|no handler named 'did it' is registered|-\n");
      CHECK(modes.branches("m-given-up") == "01|action|mail|idle|0||-\n");
    }
  }

  TEST_CASE("the timeline tells of what was prepared, added and decided") {
    for (const bool rows : {false, true}) {
      Modes modes;
      modes.write(rows);
      CHECK(modes.timeline("t-confirming") ==
            "0|submitted|||||1\n"
            "1|answered|01|try|success||1\n"
            "1|answered|02|try|success||1\n"
            "1|committing|||||1\n"
            "1|answered|01|confirm|success||1\n"
            "1|answered|02|confirm|unknown|HTTP 502|1\n");
      CHECK(modes.timeline("t-cancelling") ==
            "1|prepared|||||1\n"
            "1|answered|01|try|success||1\n"
            "1|added|02||||1\n"
            "1|answered|02|try|failure|no meals|1\n"
            "1|aborting||||no meals today|1\n"
            "1|answered|02|cancel|success||1\n"
            "1|parked|01|cancel||no handler named 'seat.cancel' is registered|1\n");
      CHECK(modes.timeline("m-checked") ==
            "1|prepared|||||1\n"
            "501|answered|00|query|unknown|down|1\n"
            "1501|answered|00|query|success||1\n"
            "1501|committing|||||1\n"
            "1501|added|04||||1\n"
            "1501|answered|01|action|success||1\n"
            "1501|answered|04|action|success||1\n"
            "1501|answered|02|action|ongoing|busy|1\n");
      CHECK(modes.timeline("m-given-up").find("|finished|||failed||1\n") != std::string::npos);
    }
  }

  TEST_CASE("a filter finds who names a handler in any of its ops, or is of a mode") {
    for (const bool rows : {false, true}) {
      Modes modes;
      modes.write(rows);
      auto reader = open_reader(modes.path);
      const auto found = [&](const char* target, std::optional<Mode> mode = {}) {
        Filter filter;
        filter.target = target;
        filter.mode = mode;
        const auto page = reader.list(filter);
        REQUIRE(page.has_value());
        std::vector<std::string> gids;
        for (const auto& row : page->rows) gids.push_back(row.gid);
        return gids;
      };
      using Gids = std::vector<std::string>;
      for (const auto* target : {"meal.try", "meal.confirm", "meal.cancel"})
        CHECK(found(target) == Gids{"t-cancelling", "t-confirming"});
      CHECK(found("seat.confirm", Mode::xa) == Gids{"x-trying"});
      CHECK(found("did it") == Gids{"m-parked", "m-checked"});
      CHECK(found("reader.b", Mode::msg) == Gids{"m-checked"});
      CHECK(found("reader.b", Mode::tcc).empty());
    }
  }

  TEST_CASE("plain SQL sees the modes and a subscriber's payload") {
    Modes modes;
    modes.write(true);
    CHECK(query(modes.path, "SELECT gid, mode, status, stuck FROM transactions") ==
          "t-confirming|tcc|submitted|0\nt-cancelling|tcc|aborting|1\nx-trying|xa|prepared|0\n"
          "m-checked|msg|submitted|0\nm-parked|msg|prepared|1\nm-given-up|msg|failed|0");
    CHECK(query(modes.path, "SELECT definition FROM transactions WHERE gid = 'x-trying'") ==
          R"({"steps":[["seat.try","seat.cancel","7A",null,"seat.confirm"],)"
          R"(["","meal.rollback","",null,"meal.commit"]],"concurrent":true})");
    CHECK(query(modes.path,
                "SELECT json_extract(definition, '$.steps[3]'),"
                " json_extract(definition, '$.query') FROM transactions"
                " WHERE gid = 'm-checked'") == R"(["reader.a","","",{"subscriber_of":1}]|2)");
  }

  TEST_CASE("the views say what a reader says") {
    Modes modes;
    modes.write(true);
    for (const auto& [id, transaction] : modes.story.all()) {
      if (transaction.gid() != "s-last") check_views(modes.path, std::string(transaction.gid()));
    }
  }

  TEST_CASE("a row written again tells of the branches that were added since") {
    Modes modes;
    const auto id = modes.story.submit(Xa("x-grows"), core::Entry::prepare);
    modes.story.decide(id, core::Begun{});
    for (int written = 0; written < 2; ++written) {
      modes.add(id, kSeat);
      auto batch = modes.story.batch();
      modes.story.add_row(batch, id);
      commit(*open_journal(modes.path), batch);
    }
    CHECK(query(modes.path,
                "SELECT count(DISTINCT branch_id) FROM branches WHERE gid = 'x-grows'") == "2");
  }

  TEST_CASE("a branch is shown by its caller's id, in the log and in rows") {
    for (const bool rows : {false, true}) {
      Modes modes;
      auto seat = kSeat;
      auto plain = kMeal;
      seat.branch_id = "0101";
      plain.commit = "";
      plain.branch_id = "caf\xc3\xa9";
      const auto id = modes.story.submit(Xa("x-named").branch(seat), core::Entry::prepare);
      modes.story.decide(id, core::Begun{});
      modes.add(id, plain);
      modes.add(id, kMeal);
      modes.story.decide_answer(id, 0, Op::prepare, Outcome::success());
      modes.story.decide_answer(id, 1, Op::prepare, Outcome::ongoing("busy"));
      modes.write(rows);
      CHECK(modes.branches("x-named") ==
            "0101|prepare|seat.try|succeed|1||-\n"
            "0101|rollback|seat.cancel|idle|0||-\n"
            "0101|commit|seat.confirm|idle|0||-\n"
            "caf\xc3\xa9|prepare|meal.try|started|1|busy|11511\n"
            "caf\xc3\xa9|rollback|meal.cancel|idle|0||-\n"
            "caf\xc3\xa9|commit||idle|0||-\n"
            "03|prepare|meal.try|started|0||-\n"
            "03|rollback|meal.cancel|idle|0||-\n"
            "03|commit|meal.confirm|idle|0||-\n");
      CHECK(modes.timeline("x-named") ==
            "1511|prepared|||||1\n"
            "1511|added|caf\xc3\xa9||||1\n"
            "1511|added|03||||1\n"
            "1511|answered|0101|prepare|success||1\n"
            "1511|answered|caf\xc3\xa9|prepare|ongoing|busy|1\n");
      if (rows) check_views(modes.path, "x-named");
      auto reader = open_reader(modes.path);
      CHECK(reader.find("x-named")->definition ==
            R"({"steps":[["seat.try","seat.cancel","7A",null,"seat.confirm","0101"],)"
            "[\"meal.try\",\"meal.cancel\",\"\",null,\"\",\"caf\xc3\xa9\"],"
            R"(["meal.try","meal.cancel","",null,"meal.confirm"]],"concurrent":true})");
    }
  }

  TEST_CASE("what was committed is read back, from the log alone and from rows") {
    for (const bool rows : {false, true}) {
      CAPTURE(rows);
      Modes modes;
      if (!rows) modes.story.submit("s-last");
      modes.write(rows);
      const auto read = read_back(modes.path);
      std::size_t expected = 0;
      for (const auto& [id, transaction] : modes.story.all())
        expected += rows && transaction.finished() ? 0 : 1;
      CHECK(read.transactions.size() == expected);
      for (const auto& one : read.transactions)
        CHECK(difference(one.transaction, modes.story.at(one.transaction.id)) == "");
    }
  }

  TEST_CASE("a sound file of every mode has no problem, in the log and in rows") {
    for (const bool rows : {false, true}) {
      Modes modes;
      modes.write(rows);
      auto reader = open_reader(modes.path);
      const auto report = reader.check();
      REQUIRE(report.has_value());
      for (const auto& problem : report->problems) MESSAGE(problem);
      CHECK(report->problems.empty());
    }
  }

  TEST_CASE("a saga that turned back waits for a call that is out: no problem") {
    Modes modes;
    const auto id =
        modes.story.submit(Saga("s-waits").step("a", "undo-a").step("b", "undo-b").concurrent());
    modes.story.start(id, 0);
    modes.story.start(id, 1);
    modes.story.answer(id, 1, OutcomeKind::failure, "no");
    modes.story.abort(id, "b said no");
    modes.story.start(id, 1, Op::compensate);
    modes.story.answer(id, 1, OutcomeKind::success, {}, 0, Op::compensate);
    modes.write(false);
    const auto report = open_reader(modes.path).check();
    REQUIRE(report.has_value());
    CHECK(report->problems.empty());
  }

  TEST_CASE("a tcc that nothing will wake is a problem") {
    Modes modes;
    const auto id = modes.story.submit(Tcc("t-asleep").branch(kSeat));
    modes.story.start(id, 0, Op::try_);
    modes.story.answer(id, 0, OutcomeKind::success, {}, 0, Op::try_);
    modes.story.abort(id, "no cancel follows");
    modes.write(false);
    auto reader = open_reader(modes.path);
    const auto report = reader.check();
    REQUIRE(report.has_value());
    REQUIRE(report->problems.size() == 1);
    CHECK(report->problems[0] == "Transaction t-asleep: nothing will ever wake it.");
  }

  TEST_CASE("a record kind of a newer version is refused by the engine, the reader and the check") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    open_journal(path);
    const auto body = std::string("\x05\x63") + std::string(6, '\0');  // kind 99
    std::string batch("\x01\x01");
    base::put_u32(batch, base::crc32c(body));
    auto blob = hex(batch + body);
    std::erase(blob, ' ');
    REQUIRE(query(path, "INSERT INTO log VALUES(1, x'" + blob + "')") == "");
    store::JournalConfig config;
    config.path = path;
    const auto journal = store::Journal::open(config);
    REQUIRE(journal.has_value());
    const auto read = read_back(**journal);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == ErrorCode::unsupported);
    CHECK(read.error().detail.find("record kind 99") != std::string::npos);
    auto reader = open_reader(path);
    CHECK(reader.list({}).error().code == ErrorCode::unsupported);
    const auto report = reader.check();
    REQUIRE(report.has_value());
    REQUIRE(report->problems.size() == 1);
    CHECK(report->problems[0] == "Log row 1: record kind 99.");
  }
}
