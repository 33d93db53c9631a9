#include "store/journal.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "sqlite/sqlite.h"
#include "support/process.h"
#include "unit/core/transactions.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

// A state file, and the story that is written in it.
struct Written {
  TempDir directory;
  const std::string path = directory.file("state.db");
  Story story;

  void commit_with_row(store::Journal& journal, core::TransactionId id) {
    auto batch = story.batch();
    story.add_row(batch, id);
    commit(journal, batch);
  }
};

// What was read back is what was written: each unfinished one, and each finished one without a row.
void check_same(const Story& story, const ReadBack& read,
                const std::vector<core::TransactionId>& expected) {
  REQUIRE(read.transactions.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(read.transactions[i].transaction.id == expected[i]);
    CHECK(difference(read.transactions[i].transaction, story.at(expected[i])) == "");
  }
}

}  // namespace

TEST_SUITE("store/journal") {
  TEST_CASE_FIXTURE(Written, "what was committed is read back, from the log alone") {
    const auto done = story.submit("g-done");
    const auto underway = story.submit("g-underway");
    {
      const auto journal = open_journal(path);
      commit(*journal, story.batch());
      story.succeed(done);
      story.start(underway, 0);
      commit(*journal, story.batch());
      story.answer(underway, 0, OutcomeKind::unknown, "timeout", 42);
      commit(*journal, story.batch());
    }
    const auto read = read_back(path);
    check_same(story, read, {done, underway});
    CHECK(read.recovered.last_lsn == 3);
    CHECK(read.recovered.last_id == underway);
    CHECK(read.recovered.transactions == 2);
    CHECK(read.recovered.file.unfinished == 1);
    CHECK(read.recovered.file.kept == 1);
    CHECK(read.recovered.log_bytes > 100);
    CHECK(read.transactions[0].first_lsn == 1);
    CHECK(read.transactions[0].last_lsn == 2);
    CHECK(read.transactions[1].last_lsn == 3);
    CHECK_FALSE(read.transactions[1].has_row);
  }

  TEST_CASE_FIXTURE(Written, "a table of the name that rows are read from loses none of them") {
    const auto journal = open_journal(path);
    for (const auto* gid : {"g-1", "g-2"}) {
      const auto id = story.submit(gid);
      story.succeed(id);
      auto batch = story.batch();
      story.add_row(batch, id);
      batch.fold_below = batch.lsn;
      if (story.lsn() == 1) {
        commit(*journal, batch);
        auto other = sqlite::Database::open(path, SQLITE_OPEN_READWRITE, {});
        REQUIRE(other);
        REQUIRE(
            other->run("CREATE TABLE belay_batch_rows AS SELECT * FROM transaction_rows "
                       "WHERE id < 0"));
        continue;
      }
      const auto refused = journal->commit(batch);
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::storage);
      auto other = sqlite::Database::open(path, SQLITE_OPEN_READWRITE, {});
      REQUIRE(other);
      CHECK(*other->integer("SELECT count(*) FROM transaction_rows") == 1);
      REQUIRE(other->run("DROP TABLE belay_batch_rows"));
      commit(*journal, batch);
      CHECK(*other->integer("SELECT count(*) FROM transaction_rows") == 2);
    }
  }

  TEST_CASE("a checkpoint changes nothing of what is read back") {
    // The same history, with rows and folding after every prefix of it.
    for (int folded_after = 1; folded_after <= 4; ++folded_after) {
      CAPTURE(folded_after);
      const TempDir directory;
      const auto path = directory.file("state.db");
      Story story;
      const auto first = story.submit("g-1");
      const auto second = story.submit("g-2");
      core::TransactionId third = 0;
      const auto step = [&](int number) {
        if (number == 0) story.start(first, 0);
        if (number == 1) story.answer(first, 0, OutcomeKind::failure, "no");
        if (number == 2) story.abort(first, "no"), third = story.submit("g-3");
        if (number == 3) story.start(second, 0), story.start(first, 0, Op::compensate);
      };
      {
        const auto journal = open_journal(path);
        for (int number = 0; number < 4; ++number) {
          if (number == folded_after) {
            auto fold = Story::without_records();
            for (const auto& [id, transaction] : story.all()) story.add_row(fold, id);
            fold.fold_below = story.lsn() + 1;
            commit(*journal, fold);
          }
          step(number);
          commit(*journal, story.batch());
        }
      }
      const auto read = read_back(path);
      check_same(story, read, {first, second, third});
      CHECK(read.recovered.last_lsn == 4);
      CHECK(read.transactions[0].has_row == (folded_after < 4));
    }
  }

  TEST_CASE_FIXTURE(Written, "rows newer than the log's head win over it") {
    const auto id = story.submit("g");
    {
      const auto journal = open_journal(path);
      commit(*journal, story.batch());
      story.start(id, 0);
      auto batch = story.batch();
      story.add_row(batch, id);  // as of lsn 2, and the log keeps both rows
      commit(*journal, batch);
      story.answer(id, 0, OutcomeKind::success);
      commit(*journal, story.batch());
    }
    const auto read = read_back(path);
    check_same(story, read, {id});
    CHECK(read.transactions[0].has_row);
    CHECK(read.transactions[0].first_lsn == 3);
    CHECK(read.transactions[0].last_lsn == 3);
  }

  TEST_CASE_FIXTURE(Written, "a row that covers all needs no log record") {
    const auto id = story.submit("g");
    {
      const auto journal = open_journal(path);
      commit_with_row(*journal, id);
    }
    const auto read = read_back(path);
    check_same(story, read, {id});
    CHECK(read.transactions[0].first_lsn == 0);
    CHECK(read.transactions[0].last_lsn == 1);
  }

  TEST_CASE_FIXTURE(
      Written,
      "a finished transaction with a row is not read back, its records in the log or not") {
    const auto id = story.submit("g");
    {
      const auto journal = open_journal(path);
      story.succeed(id);
      commit_with_row(*journal, id);
    }
    const auto read = read_back(path);
    CHECK(read.transactions.empty());
    CHECK(read.recovered.last_id == id);
    CHECK(query(path, "SELECT count(*) FROM log") == "1");
  }

  TEST_CASE_FIXTURE(Written,
                    "a finished transaction whose row is an older one is read back as finished") {
    const auto id = story.submit("g");
    {
      const auto journal = open_journal(path);
      commit_with_row(*journal, id);
      story.succeed(id);
      commit(*journal, story.batch());
    }
    const auto read = read_back(path);
    check_same(story, read, {id});
    CHECK(read.transactions[0].has_row);
    CHECK(read.transactions[0].transaction.finished());
  }

  TEST_CASE_FIXTURE(Written, "records of a transaction that left no row do no harm once it ended") {
    const auto gone = story.submit("g-gone");
    {
      const auto journal = open_journal(path);
      commit(*journal, story.batch());
      story.succeed(gone);
      auto batch = story.batch();
      batch.fold_below = 2;  // its beginning goes, its end stays
      commit(*journal, batch);
    }
    CHECK(read_back(path).transactions.empty());
  }

  TEST_CASE_FIXTURE(Written,
                    "records of a transaction without a beginning or an end stop the open") {
    const auto lost = story.submit("g-lost");
    {
      const auto journal = open_journal(path);
      commit(*journal, story.batch());
      story.start(lost, 0);
      auto batch = story.batch();
      batch.fold_below = 2;
      commit(*journal, batch);
    }
    store::JournalConfig config;
    config.path = path;
    const auto journal = store::Journal::open(config);
    REQUIRE(journal.has_value());
    const auto read = read_back(**journal);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == ErrorCode::corrupt);
    CHECK(read.error().detail.find("transaction 1") != std::string::npos);
  }

  TEST_CASE_FIXTURE(Written, "an erased row is gone") {
    const auto id = story.submit("g");
    const auto journal = open_journal(path);
    commit_with_row(*journal, id);
    CHECK(query(path, "SELECT count(*) FROM transactions") == "1");
    story.succeed(id);
    auto erase = story.batch();
    Story::add_erase(erase, id);
    commit(*journal, erase);
    CHECK(query(path, "SELECT count(*) FROM transactions") == "0");
    const auto found = journal->lookup({"g"});
    REQUIRE(found.has_value());
    CHECK_FALSE(found->at(0).has_value());
  }

  TEST_CASE_FIXTURE(Written, "folding never takes the newest row, so that lsns never start again") {
    {
      const auto journal = open_journal(path);
      for (int i = 0; i < 3; ++i) {
        const auto id = story.submit("g-" + std::to_string(i));
        story.succeed(id);
        commit_with_row(*journal, id);
      }
      auto fold = Story::without_records();
      fold.fold_below = 1'000;
      commit(*journal, fold);
    }
    CHECK(query(path, "SELECT lsn FROM log") == "3");
    CHECK(read_back(path).recovered.last_lsn == 3);
  }

  TEST_CASE_FIXTURE(Written,
                    "a batch folds below its limit and no further, and says what is left") {
    const auto journal = open_journal(path);
    std::uint64_t bytes = 0;
    for (int i = 0; i < 5; ++i) {
      story.succeed(story.submit("g-" + std::to_string(i)));
      auto batch = story.batch();
      for (const auto& [id, transaction] : story.all()) story.add_row(batch, id);
      batch.fold_below = i == 4 ? 3 : 0;
      if (i >= 2) bytes += batch.records.size();
      const auto figures = journal->commit(batch);
      REQUIRE(figures.has_value());
      if (i == 4) CHECK(figures->log_bytes == bytes);
      CHECK(figures->file_bytes >= 8192);
    }
    CHECK(query(path, "SELECT lsn FROM log") == "3\n4\n5");
  }

  TEST_CASE_FIXTURE(Written, "a lookup knows finished transactions only, in the order asked") {
    const auto journal = open_journal(path);
    const auto done = story.submit("g-done");
    story.succeed(done);
    const auto failed = story.submit("g-failed");
    story.wait(9);
    story.fail(failed, "no funds");
    const auto open = story.submit("g-open");
    auto batch = story.batch();
    for (const auto id : {done, failed, open}) story.add_row(batch, id);
    commit(*journal, batch);

    const auto found = journal->lookup({"g-none", "g-failed", "g-open", "g-done", "g-done"});
    REQUIRE(found.has_value());
    REQUIRE(found->size() == 5);
    CHECK_FALSE(found->at(0).has_value());
    CHECK_FALSE(found->at(2).has_value());
    REQUIRE(found->at(1).has_value());
    CHECK(found->at(1)->gid == "g-failed");
    CHECK(found->at(1)->id == failed);
    CHECK(found->at(1)->status == Status::failed);
    CHECK(found->at(1)->reason == "no funds");
    CHECK(found->at(1)->created_at == Story::kBegin);
    CHECK(found->at(1)->finished_at == Story::kBegin + 9);
    CHECK(found->at(1)->definition_hash == story.at(failed).definition.hash());
    REQUIRE(found->at(3).has_value());
    CHECK(found->at(3)->status == Status::succeed);
    CHECK(found->at(4)->id == done);
  }

  TEST_CASE_FIXTURE(Written,
                    "every open counts, and the count is on disk before anything is read") {
    for (std::uint64_t epoch = 1; epoch <= 3; ++epoch) {
      store::JournalConfig config;
      config.path = path;
      config.stuck_after = 7;
      const auto journal = store::Journal::open(config);
      REQUIRE(journal.has_value());
      CHECK(query(path, "SELECT value FROM meta WHERE name = 'epoch'") == std::to_string(epoch));
      const auto read = read_back(**journal);
      REQUIRE(read.has_value());
      CHECK(read->recovered.epoch == epoch);
      CHECK(query(path, "SELECT value FROM meta WHERE name = 'stuck_after'") == "7");
    }
  }

  TEST_CASE_FIXTURE(Written, "progress is told every ten thousand transactions") {
    {
      const auto journal = open_journal(path);
      for (int i = 0; i < 20'001; ++i) story.submit(Saga(std::to_string(i)).step("a", "b"));
      auto batch = story.batch();
      for (core::TransactionId id = 1; id <= 10'000; ++id) story.add_row(batch, id * 2);
      commit(*journal, batch);
    }
    store::JournalConfig config;
    config.path = path;
    const auto journal = store::Journal::open(config);
    REQUIRE(journal.has_value());
    std::vector<std::uint64_t> told;
    core::TransactionId next = 1;
    bool in_order = true;
    const auto recovered = (*journal)->recover(
        [&](store::RecoveredTransaction read) {
          in_order = in_order && read.transaction.id == next++;
        },
        [&](std::uint64_t count) { told.push_back(count); });
    REQUIRE(recovered.has_value());
    CHECK(recovered->transactions == 20'001);
    CHECK(told == std::vector<std::uint64_t>{10'000, 20'000});
    CHECK(in_order);
  }

  TEST_CASE_FIXTURE(Written, "a closed journal is one file and takes nothing more") {
    const auto journal = open_journal(path);
    story.submit("g");
    const auto batch = story.batch();
    commit(*journal, batch);
    CHECK(journal->close().has_value());
    CHECK(journal->close().has_value());
    CHECK(run({.argv = {"/bin/ls", directory.path()}}).out == "state.db\nstate.db-lock\n");
    const auto late = journal->commit(batch);
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().code == ErrorCode::closed);
    CHECK_FALSE(journal->lookup({"g"}).has_value());
    CHECK_FALSE(journal->collect({}).has_value());
    CHECK(journal->checkpoint_wal().has_value());
  }
}
