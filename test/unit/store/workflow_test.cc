// Workflows in the log, in rows, read back, and in files of the schema before them.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "belay/reader.h"
#include "belay/workflow.h"
#include "core/progress.h"
#include "support/process.h"
#include "unit/core/transactions.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

using namespace belay;
using namespace belay::test;

namespace {

const std::string kBytes("\0\xff raw", 6);
const std::vector<Progress> kSteps = {{"01", "action", "succeed", "{\"seat\":7}"},
                                      {"01", "rollback", "failed", kBytes},
                                      {"\"02\"", "action", "succeed", ""}};

struct Workflows {
  Workflows() {
    open = prepare("w-open");
    record(open, kSteps[0]);
    record(open, kSteps[1]);
    succeeded = prepare("w-succeeded");
    for (const auto& step : kSteps) record(succeeded, step);
    finish(succeeded, {.status = Status::succeed, .result = kBytes});
    failed = prepare("w-failed");
    finish(failed, {.status = Status::failed, .result = "text", .reason = "no funds"});
  }
  core::TransactionId prepare(const std::string& gid) {
    const auto id =
        story.submit(Workflow(gid).callback("shop.resume", "order", "input"), core::Entry::prepare);
    story.decide(id, core::Begun{});
    return id;
  }
  void record(core::TransactionId id, const Progress& progress) {
    story.wait(5);
    story.decide(id, core::Progressed{*core::encode_progress(progress, Limits{})});
  }
  void finish(core::TransactionId id, const WorkflowEnd& end) {
    story.decide(id, core::WordEnd{&end});
  }
  // In the log alone, or with rows that cover it.
  void write(bool rows) {
    const auto journal = open_journal(path);
    auto batch = story.batch();
    if (rows) {
      for (const auto id : {open, succeeded, failed}) story.add_row(batch, id);
    }
    commit(*journal, batch);
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  Story story;
  core::TransactionId open = 0, succeeded = 0, failed = 0;
};

void check_reader(Reader& reader) {
  const auto whole = reader.read("w-succeeded");
  REQUIRE(whole.has_value());
  const auto& steps = whole->progress;
  REQUIRE(steps.size() == kSteps.size());
  for (std::size_t i = 0; i < kSteps.size(); ++i) CHECK(steps[i].progress == kSteps[i]);
  CHECK(steps[0].at == TimePoint(Millis(Story::kBegin + 15)));
  CHECK(steps[2].at == TimePoint(Millis(Story::kBegin + 25)));
  CHECK(reader.read("w-open")->progress.size() == 2);
  CHECK(reader.read("w-failed")->progress.empty());
  CHECK(reader.read("none").error().code == ErrorCode::not_found);
  CHECK(reader.find("w-succeeded")->result == kBytes);
  CHECK(reader.find("w-failed")->result == "text");
  CHECK(reader.find("w-failed")->last_error == "no funds");
  CHECK(reader.find("w-open")->result.empty());
  CHECK(reader.find("w-open")->mode == Mode::workflow);
  CHECK(reader.find("w-open")->due_at.has_value());
}

}  // namespace

TEST_SUITE("store/workflow") {
  TEST_CASE("steps and result are told byte by byte, from the log and from rows") {
    for (const bool rows : {false, true}) {
      CAPTURE(rows);
      Workflows all;
      all.write(rows);
      auto reader = Reader::open(all.path);
      REQUIRE(reader.has_value());
      check_reader(*reader);
      const auto branches = reader->read("w-open")->branches;
      REQUIRE(branches.size() == 1);
      CHECK(branches[0].branch_id == "00");
      CHECK(branches[0].op == Op::query);
      CHECK(branches[0].target == "shop.resume");
      CHECK(branches[0].status == "started");
      Filter filter;
      filter.mode = Mode::workflow;
      filter.target = "shop.resume";
      CHECK(reader->list(filter)->rows.size() == 3);
      CHECK(reader->check()->problems.empty());
    }
  }

  TEST_CASE("the timeline tells of each step, and of the end") {
    Workflows all;
    all.write(true);
    for (const auto* gid : {"w-open", "w-succeeded", "w-failed"}) check_views(all.path, gid);
    auto reader = Reader::open(all.path);
    REQUIRE(reader.has_value());
    std::string told;
    const auto whole = reader->read("w-succeeded");
    for (const auto& event : whole->timeline)
      told += event.event + "|" + event.branch_id + "|" + event.op + "|" + event.outcome + "\n";
    CHECK(told ==
          "prepared|||\nprogressed|01|action|succeed\nprogressed|01|rollback|failed\n"
          "progressed|\"02\"|action|succeed\nconcluded|||\nfinished|||succeed\n");
    CHECK(reader->read("w-failed")->timeline.at(1).detail == "no funds");
  }

  TEST_CASE("plain SQL sees the steps, the name and the result") {
    Workflows all;
    all.write(true);
    CHECK(query(all.path, "SELECT seq, branch_id, op, status, data, at - " +
                              std::to_string(Story::kBegin) +
                              " FROM progress WHERE gid = 'w-open' ORDER BY seq") ==
          "0|01|action|succeed|{\"seat\":7}|5\n"
          "1|01|rollback|failed|{\"base64\":\"AP8gcmF3\"}|10");
    CHECK(query(all.path, "SELECT result FROM transactions WHERE gid = 'w-failed'") == "text");
    CHECK(query(all.path, "SELECT json_extract(definition, '$.name') FROM transactions LIMIT 1") ==
          "order");
  }

  TEST_CASE("an unfinished one is read back as it was, from the log and from its row") {
    for (const bool rows : {false, true}) {
      CAPTURE(rows);
      Workflows all;
      all.write(rows);
      const auto read = read_back(all.path);
      bool found = false;
      for (const auto& one : read.transactions) {
        if (one.transaction.gid() != "w-open") continue;
        found = true;
        CHECK(difference(one.transaction, all.story.at(all.open)) == "");
      }
      CHECK(found);
    }
  }

  TEST_CASE("a file of the schema before workflows is read as it is, and migrated when opened") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    Story story;
    {
      const auto journal = open_journal(path);
      const auto id = story.submit("g");
      story.succeed(id);
      const auto waits = story.submit("g-waits");
      story.start(waits, 0);
      auto batch = story.batch();
      story.add_row(batch, id);
      commit(*journal, batch);
    }
    // what version 1 had
    REQUIRE(
        query(path,
              "DROP VIEW progress; DROP VIEW timeline; DROP VIEW branches;"
              "DROP VIEW transactions; ALTER TABLE transaction_rows DROP COLUMN result;"
              "ALTER TABLE transaction_rows DROP COLUMN progress;"
              "CREATE VIEW transactions AS SELECT gid FROM transaction_rows; DROP TABLE topic_rows;"
              "DROP TABLE belay_requests; DROP TABLE belay_holds;"
              "PRAGMA user_version = 1") == "");
    {
      auto reader = Reader::open(path);
      REQUIRE(reader.has_value());
      CHECK(reader->find("g")->status == Status::succeed);
      CHECK(reader->find("g-waits")->status == Status::submitted);
      CHECK(reader->read("g")->branches.size() == 4);
      CHECK(reader->read("g")->timeline.size() > 2);
      CHECK(reader->read("g")->progress.empty());
      CHECK(reader->check()->problems.empty());
    }
    CHECK(query(path, "PRAGMA user_version") == "1");
    open_journal(path);
    CHECK(query(path, "PRAGMA user_version") == "4");
    CHECK(query(path, "SELECT gid, status, result FROM transactions") == "g|succeed|");
    CHECK(query(path, "SELECT count(*) FROM branches") == "4");
    CHECK(query(path, "SELECT count(*) FROM progress") == "0");
  }
}
