// Where no lock keeps a second engine out, what is in the file does: whoever finds that another one
// has written ends, and acknowledges nothing.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <string>

#include "support/crash_vfs.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

store::JournalConfig unlocked(const CrashVfs& disk) {
  store::JournalConfig config;
  config.path = "state.db";
  config.vfs = disk.name();  // a named one takes no lock
  return config;
}

ports::Batch batch_of(Story& story, const std::string& gid) {
  story.submit(gid);
  return story.batch();
}

void run_sql(const CrashVfs& disk, const char* sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2("state.db", &db, SQLITE_OPEN_READWRITE, disk.name().c_str()) ==
          SQLITE_OK);
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  CHECK(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close_v2(db);
}

void check_superseded(store::Journal& journal, const ports::Batch& batch) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto committed = journal.commit(batch);
    REQUIRE_FALSE(committed.has_value());
    CHECK(committed.error().code == ErrorCode::superseded);
    CHECK(committed.error().detail.find("another engine writes to state.db") == 0);
  }
  for (const auto code : {journal.lookup({"first"}).error().code,
                          journal.collect({1, 1}).error().code, journal.close().error().code})
    CHECK(code == ErrorCode::superseded);
}

std::string gids_in(const CrashVfs& disk) {
  auto journal = store::Journal::open(unlocked(disk));
  REQUIRE(journal.has_value());
  const auto read = read_back(**journal);
  REQUIRE(read.has_value());
  std::string gids;
  for (const auto& one : read->transactions) gids += std::string(one.transaction.gid()) + " ";
  return gids;
}

}  // namespace

TEST_SUITE("store/ours") {
  TEST_CASE("a second engine between two commits: the first has ended, the second has the file") {
    CrashVfs disk(1);
    Story story;
    const auto first = open_journal(unlocked(disk));
    commit(*first, batch_of(story, "first"));
    Story other;
    other.resume(story.lsn(), 1);
    const auto second = open_journal(unlocked(disk));
    check_superseded(*first, batch_of(story, "lost"));
    commit(*second, batch_of(other, "second"));
    CHECK(second->close().has_value());
    CHECK(gids_in(disk) == "first second ");
  }

  TEST_CASE("nor does the first delete anything once there is a second") {
    CrashVfs disk(2);
    Story story;
    const auto first = open_journal(unlocked(disk));
    const auto id = story.submit("first");
    story.succeed(id);
    auto batch = story.batch();
    story.add_row(batch, id);
    commit(*first, batch);
    const auto second = open_journal(unlocked(disk));
    const auto collected = first->collect({~0ull >> 1, ~0ull >> 1});
    REQUIRE_FALSE(collected.has_value());
    CHECK(collected.error().code == ErrorCode::superseded);
    CHECK(second->lookup({"first"})->at(0).has_value());
  }

  TEST_CASE("a second engine between a failed commit and its retry") {
    for (const auto failed_sync : {FailedSync::keeps, FailedSync::forgets, FailedSync::reverts}) {
      CAPTURE(static_cast<int>(failed_sync));
      CrashVfs disk(3, {.failed_sync = failed_sync});
      Story story;
      auto first = open_journal(unlocked(disk));
      commit(*first, batch_of(story, "first"));
      const auto refused = batch_of(story, "refused");
      disk.fail(Fault::sync_error, 1, 1);
      REQUIRE_FALSE(first->commit(refused).has_value());
      {
        const auto second = open_journal(unlocked(disk));
        const auto there = read_back(*second)->recovered;
        Story other;
        other.resume(there.last_lsn, there.last_id);
        commit(*second, batch_of(other, "second"));
        check_superseded(*first, refused);
        commit(*second, batch_of(other, "third"));
      }
      first.reset();
      const auto gids = gids_in(disk);
      CHECK(gids.find("second third") != std::string::npos);
    }
  }

  TEST_CASE(
      "a row of the batch's number with other bytes is another engine's, whatever the epoch") {
    for (const auto* sql :
         {"INSERT INTO log VALUES(2, x'0102')", "INSERT INTO log VALUES(3, x'01')",
          "UPDATE log SET records = x'0304' WHERE lsn = 1"}) {
      CAPTURE(std::string(sql));
      CrashVfs disk(4, {.failed_sync = FailedSync::reverts});
      Story story;
      const auto first = open_journal(unlocked(disk));
      commit(*first, batch_of(story, "first"));
      const auto refused = batch_of(story, "refused");
      disk.fail(Fault::disk_full, 1, 1);
      REQUIRE_FALSE(first->commit(refused).has_value());
      run_sql(disk, sql);
      check_superseded(*first, refused);
    }
  }

  TEST_CASE(
      "a batch that is on disk though its commit failed may have folded the newest known row") {
    CrashVfs disk(6, {.failed_sync = FailedSync::keeps});
    Story story;
    const auto journal = open_journal(unlocked(disk));
    commit(*journal, batch_of(story, "first"));
    auto batch = batch_of(story, "second");
    batch.fold_below = batch.lsn;
    disk.fail(Fault::sync_error, 1, 1);
    REQUIRE_FALSE(journal->commit(batch).has_value());
    commit(*journal, batch);
    commit(*journal, batch_of(story, "third"));
  }

  TEST_CASE("a file that lost what was acknowledged takes nothing until it is back") {
    CrashVfs disk(5);
    Story story;
    const auto first = open_journal(unlocked(disk));
    const auto kept = batch_of(story, "first");
    commit(*first, kept);
    const auto refused = batch_of(story, "refused");
    disk.fail(Fault::disk_full, 1, 1);
    REQUIRE_FALSE(first->commit(refused).has_value());
    run_sql(disk, "CREATE TABLE aside AS SELECT * FROM log; DELETE FROM log");
    for (int attempt = 0; attempt < 3; ++attempt) {
      const auto committed = first->commit(refused);
      REQUIRE_FALSE(committed.has_value());
      CHECK(committed.error().code == ErrorCode::storage);
      CHECK(committed.error().detail.find("has lost what was acknowledged") != std::string::npos);
    }
    run_sql(disk, "INSERT INTO log SELECT * FROM aside; DROP TABLE aside");
    commit(*first, refused);
    CHECK(first->close().has_value());
    CHECK(gids_in(disk) == "first refused ");
  }
}
