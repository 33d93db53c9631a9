// A disk that says no: nothing is acknowledged, nothing acknowledged is lost, and the same batch
// goes through when the disk is back.
#include <doctest/doctest.h>

#include <string>

#include "support/crash_vfs.h"
#include "unit/core/transactions.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

store::JournalConfig config_on(const CrashVfs& disk) {
  store::JournalConfig config;
  config.path = "state.db";
  config.vfs = disk.name();
  config.wal_bytes = 64 * 1024;  // moved often, so that faults hit that too
  return config;
}

// Every batch: one finished transaction with its row, one unfinished, folding behind.
ports::Batch next_batch(Story& story, int number) {
  const auto done = story.submit("done-" + std::to_string(number));
  story.submit(Saga("open-" + std::to_string(number)).step("a", "b", std::string(5'000, 'p')));
  story.succeed(done);
  auto batch = story.batch();
  story.add_row(batch, done);
  return batch;
}

// What the disk holds is exactly what the story says.
void check_whole(const CrashVfs& disk, const Story& story, int batches) {
  auto journal = store::Journal::open(config_on(disk));
  REQUIRE(journal.has_value());
  auto read = read_back(**journal);
  REQUIRE(read.has_value());
  CHECK(read->recovered.last_lsn == story.lsn());
  CHECK(read->transactions.size() == static_cast<std::size_t>(batches));
  for (const auto& transaction : read->transactions) {
    CHECK(difference(transaction.transaction, story.at(transaction.transaction.id)) == "");
  }
  for (int number = 0; number < batches; ++number) {
    const auto found = (*journal)->lookup({"done-" + std::to_string(number)});
    REQUIRE(found.has_value());
    CHECK(found->at(0).has_value());
  }
}

// Commits batches on a disk that fails from the nth operation of a kind on; each refused batch is
// handed in again until it is taken. True if the fault was met.
bool run_with_fault(Fault fault, std::uint64_t nth, std::uint64_t times, std::uint64_t seed) {
  CrashVfs disk(seed);
  Story story;
  constexpr int kBatches = 12;
  bool refused = false;
  {
    const auto journal = open_journal(config_on(disk));
    disk.fail(fault, nth, times);
    for (int number = 0; number < kBatches; ++number) {
      const auto batch = next_batch(story, number);
      for (int attempt = 0;; ++attempt) {
        REQUIRE(attempt < 20);
        const auto committed = journal->commit(batch);
        if (committed) break;
        refused = true;
        CHECK(committed.error().code == ErrorCode::storage);
        CHECK(committed.error().detail.find("SQLite code") != std::string::npos);
        if (attempt == 3) disk.heal();
      }
      static_cast<void>(journal->checkpoint_wal().has_value());
    }
    disk.heal();
    CHECK((journal->close().has_value() || disk.faults_hit() > 0));
  }
  if (disk.faults_hit() > 0) {  // and the power goes: what was acknowledged must be durable
    disk.cut();
    disk.power_on();
  }
  check_whole(disk, story, kBatches);
  return refused || disk.faults_hit() > 0;
}

}  // namespace

TEST_SUITE("store/broken") {
  TEST_CASE("after any fault at any moment the same batch goes through, and nothing is lost") {
    for (const auto fault : {Fault::disk_full, Fault::write_error, Fault::sync_error,
                             Fault::read_only, Fault::truncate_error, Fault::read_error}) {
      for (const std::uint64_t times : {1u, 0u}) {  // once, or until it is healed
        std::uint64_t met = 0;
        for (std::uint64_t nth = 1; nth <= 60; nth += 1 + nth / 8) {
          CAPTURE(name_of(fault));
          CAPTURE(times);
          CAPTURE(nth);
          met += run_with_fault(fault, nth, times, nth) ? 1u : 0u;
        }
        CHECK(met > 0);
      }
    }
  }

  TEST_CASE("while the disk refuses, every attempt is refused, and so are lookups") {
    CrashVfs disk(1);
    Story story;
    const auto journal = open_journal(config_on(disk));
    commit(*journal, next_batch(story, 0));
    disk.fail(Fault::sync_error, 1, 0);
    const auto batch = next_batch(story, 1);
    for (int attempt = 0; attempt < 5; ++attempt) CHECK_FALSE(journal->commit(batch).has_value());
    const auto found = journal->lookup({"done-0"});
    REQUIRE_FALSE(found.has_value());
    CHECK(found.error().code == ErrorCode::storage);
    disk.heal();
    commit(*journal, batch);
    CHECK(journal->lookup({"done-0"}).has_value());
    CHECK(journal->close().has_value());
    check_whole(disk, story, 2);
  }

  TEST_CASE("a batch that is on disk although its commit failed is not written twice") {
    // The failed sync keeps everything: the batch is there when the file is opened again.
    CrashVfs disk(3, {.failed_sync = FailedSync::keeps});
    Story story;
    const auto journal = open_journal(config_on(disk));
    commit(*journal, next_batch(story, 0));
    const auto batch = next_batch(story, 1);
    disk.fail(Fault::sync_error, 1, 1);
    CHECK_FALSE(journal->commit(batch).has_value());
    commit(*journal, batch);
    commit(*journal, next_batch(story, 2));
    CHECK(journal->close().has_value());
    check_whole(disk, story, 3);
  }

  TEST_CASE("closing a broken journal says so, and loses nothing that was acknowledged") {
    CrashVfs disk(5);
    Story story;
    const auto journal = open_journal(config_on(disk));
    commit(*journal, next_batch(story, 0));
    Story ahead;
    ahead.resume(1, 2);
    disk.fail(Fault::sync_error, 1, 0);
    CHECK_FALSE(journal->commit(next_batch(ahead, 1)).has_value());
    const auto closed = journal->close();
    REQUIRE_FALSE(closed.has_value());
    CHECK(closed.error().code == ErrorCode::storage);
    disk.cut();
    disk.heal();
    disk.power_on();
    auto again = store::Journal::open(config_on(disk));
    REQUIRE(again.has_value());
    CHECK((*again)->lookup({"done-0"})->at(0).has_value());
  }
}
