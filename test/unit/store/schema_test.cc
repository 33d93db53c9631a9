// The state file as anybody's SQLite tool sees it.
#include <doctest/doctest.h>

#include <string>

#include "support/process.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

// One of each kind, all with rows: finished, failed, waiting and stuck, parked.
struct Examples {
  Examples() {
    const auto journal = open_journal(path);
    const auto done = story.submit("g-done");
    story.wait(5);
    story.succeed(done);
    const auto failed =
        story.submit(two_steps("g-failed")
                         .trace_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
    story.wait(7);
    story.fail(failed, "no \"funds\"");
    const auto waits = story.submit("g-waits");
    story.start(waits, 0);
    for (std::uint64_t i = 0; i < 3; ++i)
      story.answer(waits, 0, OutcomeKind::unknown, "HTTP 502", 4711 + i);
    const auto parked = story.submit("g-parked");
    story.start(parked, 0);
    story.park(parked, 0, "nobody is called bank.debit");
    auto batch = story.batch();
    for (const auto id : {done, failed, waits, parked}) story.add_row(batch, id);
    commit(*journal, batch);
  }

  std::string ask(const std::string& sql) const { return query(path, sql); }

  TempDir directory;
  std::string path = directory.file("state.db");
  Story story;
};

}  // namespace

TEST_SUITE("store/schema") {
  TEST_CASE("a new file is what the store says it is") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    open_journal(path);
    CHECK(query(path,
                "PRAGMA application_id; PRAGMA user_version; PRAGMA journal_mode;"
                "PRAGMA auto_vacuum; PRAGMA page_size") == "1650814049\n4\nwal\n2\n8192");
    CHECK(query(path, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY 1") ==
          "branches\nprogress\ntimeline\ntransactions");
    CHECK(query(path, "SELECT count(*) FROM transactions") == "0");
    CHECK(query(path, "SELECT name, value FROM meta ORDER BY name") == "epoch|1\nstuck_after|3");
  }

  TEST_CASE("the view transactions gives words and times") {
    const Examples examples;
    const auto begin = std::to_string(Story::kBegin);
    CHECK(examples.ask("SELECT gid, mode, status, stuck, created_at - " + begin +
                       ", updated_at - " + begin + ", finished_at - " + begin +
                       ", due_at, attempts, last_error FROM transactions ORDER BY id") ==
          "g-done|saga|succeed|0|0|5|5||2|\n"
          "g-failed|saga|failed|0|5|12|12||2|no \"funds\"\n"
          "g-waits|saga|submitted|1|12|12||4713|3|HTTP 502\n"
          "g-parked|saga|submitted|1|12|12|||0|nobody is called bank.debit");
    CHECK(examples.ask("SELECT trace_id FROM transactions WHERE gid = 'g-failed'") ==
          "0af7651916cd43dd8448eb211c80319c");
    CHECK(examples.ask("SELECT count(*) FROM transactions WHERE lsn = 1") == "4");
    CHECK(examples.ask("SELECT count(*) FROM transaction_rows WHERE state IS NULL") == "2");
  }

  TEST_CASE("the view branches has a row for each operation") {
    const Examples examples;
    const std::string columns =
        "SELECT branch_id, op, target, status, attempts, last_error, due_at, payload FROM branches";
    CHECK(examples.ask(columns + " WHERE gid = 'g-done'") ==
          "01|action|bank.debit|succeed|1|||{\"amount\":30}\n"
          "01|compensate|bank.undo_debit|idle|0|||{\"amount\":30}\n"
          "02|action|stock.reserve|succeed|1|||{\"sku\":7}\n"
          "02|compensate|stock.release|idle|0|||{\"sku\":7}");
    CHECK(examples.ask(columns + " WHERE gid = 'g-failed' AND branch_id = '01'") ==
          "01|action|bank.debit|failed|1|||{\"amount\":30}\n"
          "01|compensate|bank.undo_debit|succeed|1|||{\"amount\":30}");
    CHECK(examples.ask(columns + " WHERE gid = 'g-waits' AND attempts > 0") ==
          "01|action|bank.debit|started|3|HTTP 502|4713|{\"amount\":30}");
    CHECK(examples.ask(
              "SELECT gid, branch_id, op, last_error FROM branches WHERE status = 'parked'") ==
          "g-parked|01|action|nobody is called bank.debit");
  }

  TEST_CASE("the view timeline has a row for each event") {
    const Examples examples;
    const auto events = [&](const std::string& gid) {
      return examples.ask("SELECT at - " + std::to_string(Story::kBegin) +
                          ", event, branch_id, op, outcome, detail, repeats FROM timeline"
                          " WHERE gid = '" +
                          gid + "' ORDER BY seq");
    };
    CHECK(events("g-done") ==
          "0|submitted|||||1\n5|answered|01|action|success||1\n"
          "5|answered|02|action|success||1\n5|finished|||succeed||1");
    CHECK(events("g-failed") ==
          "5|submitted|||||1\n12|answered|01|action|failure|no \"funds\"|1\n"
          "12|aborting||||no \"funds\"|1\n12|answered|01|compensate|success||1\n"
          "12|finished|||failed||1");
    CHECK(events("g-waits") == "12|submitted|||||1\n12|answered|01|action|unknown|HTTP 502|3");
    CHECK(events("g-parked") ==
          "12|submitted|||||1\n12|parked|01|action||nobody is called bank.debit|1");
  }

  TEST_CASE("a saga of a hundred steps numbers them all") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    Story story;
    Saga saga("g-long");
    for (int i = 0; i < 100; ++i) saga.step("do." + std::to_string(i), "undo");
    const auto id = story.submit(saga);
    auto batch = story.batch();
    story.add_row(batch, id);
    commit(*journal, batch);
    CHECK(query(path,
                "SELECT count(*), min(branch_id), max(CAST(branch_id AS INTEGER)) FROM branches") ==
          "200|01|100");
    CHECK(query(path, "SELECT target FROM branches WHERE branch_id = '100' AND op = 'action'") ==
          "do.99");
  }

  TEST_CASE("the columns hold what a row may hold and nothing else") {
    const Examples examples;
    CHECK(examples.ask("UPDATE transaction_rows SET status = 5").rfind("error: CHECK", 0) == 0);
    CHECK(examples.ask("UPDATE transaction_rows SET mode = 9").rfind("error: CHECK", 0) == 0);
    CHECK(examples.ask("UPDATE transaction_rows SET gid = 'g-done'").rfind("error: UNIQUE", 0) ==
          0);
  }
}
