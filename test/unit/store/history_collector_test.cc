#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "store/history_collector.h"
#include "support/process.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

struct RetentionFixture {
  // Steps until nothing is due; how many it took.
  int collect(std::uint64_t succeed_before, std::uint64_t failed_before) {
    for (int steps = 1; steps <= 10'000; ++steps) {
      const auto more = journal->collect({succeed_before, failed_before});
      REQUIRE(more.has_value());
      if (!*more) return steps;
    }
    FAIL("it never ends");
    return 0;
  }

  void commit_with_rows() {
    auto batch = story.batch();
    for (const auto& [id, transaction] : story.all()) {
      if (id > rows_up_to) story.add_row(batch, id);
    }
    rows_up_to = story.all().rbegin()->first;
    batch.fold_below = batch.lsn;
    commit(*journal, batch);
  }

  std::string gids() const {
    return query(path,
                 "SELECT group_concat(gid, ' ') FROM (SELECT gid FROM transactions ORDER BY id)");
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  std::unique_ptr<store::Journal> journal = open_journal(path);
  Story story;
  core::TransactionId rows_up_to = 0;
};

}  // namespace

TEST_SUITE("store/history_collector") {
  TEST_CASE_FIXTURE(RetentionFixture,
                    "each outcome has its own time, and what is unfinished has none") {
    story.succeed(story.submit("old-done"));
    story.fail(story.submit("old-failed"), "no");
    story.submit("old-open");
    story.wait(1'000);
    story.succeed(story.submit("new-done"));
    story.fail(story.submit("new-failed"), "no");
    commit_with_rows();
    const auto between = Story::kBegin + 500;

    collect(0, 0);
    CHECK(gids() == "old-done old-failed old-open new-done new-failed");
    collect(between, 0);
    CHECK(gids() == "old-failed old-open new-done new-failed");
    collect(between, between);
    CHECK(gids() == "old-open new-done new-failed");
    collect(story.now(), story.now());
    CHECK(gids() == "old-open new-done new-failed");  // exactly at the limit: not before it
    collect(story.now() + 1, story.now() + 1);
    CHECK(gids() == "old-open");
  }

  TEST_CASE_FIXTURE(RetentionFixture,
                    "what finishes late is kept from its finish on, and then found") {
    const auto late = story.submit("late");
    const auto later = story.submit("later");
    story.succeed(story.submit("quick"));
    commit_with_rows();
    story.wait(1'000);
    collect(story.now() - 1, 0);
    CHECK(gids() == "late later");
    // Behind the cursor now.
    story.succeed(late);
    auto batch = story.batch();
    story.add_row(batch, late);
    commit(*journal, batch);
    story.wait(1'000);
    story.fail(later, "no");
    batch = story.batch();
    story.add_row(batch, later);
    commit(*journal, batch);
    collect(story.now() - 1'500, story.now() - 1'500);
    CHECK(gids() == "late later");
    collect(story.now() - 500, story.now() - 500);
    CHECK(gids() == "later");
    collect(story.now() + 1, story.now() + 1);
    CHECK(gids() == "");
  }

  TEST_CASE_FIXTURE(RetentionFixture, "what finished late is found after a restart, too") {
    const auto late = story.submit("late");
    story.wait(1'000);
    story.succeed(late);
    story.succeed(story.submit("done"));
    commit_with_rows();
    collect(Story::kBegin + 500, 0);  // begun before, finished after: seen and remembered
    CHECK(gids() == "late done");
    journal.reset();
    journal = open_journal(path);
    collect(story.now() + 1, 0);
    CHECK(gids() == "");
  }

  TEST_CASE_FIXTURE(RetentionFixture, "a step is bounded") {
    for (int i = 0; i < 2'500; ++i) {
      story.succeed(story.submit(Saga("g-" + std::to_string(i)).step("a", "b")));
    }
    commit_with_rows();
    const auto more = journal->collect({story.now() + 1, 0});
    REQUIRE(more.has_value());
    CHECK(*more);
    CHECK(query(path, "SELECT count(*) FROM transactions") == "1500");
    CHECK(collect(story.now() + 1, 0) >= 2);
    CHECK(query(path, "SELECT count(*) FROM transactions") == "0");
  }

  TEST_CASE_FIXTURE(RetentionFixture, "the disk comes back") {
    const std::string payload(2'000, 'p');
    for (int i = 0; i < 10'000; ++i) {
      story.succeed(story.submit(Saga("g-" + std::to_string(i)).step("a", "b", payload)));
      if (i % 1'000 == 999) commit_with_rows();
    }
    REQUIRE(journal->close().has_value());
    const auto full = std::filesystem::file_size(path);
    journal = open_journal(path);
    collect(story.now() + 1, 0);
    REQUIRE(journal->close().has_value());
    CHECK(full > 25'000'000);
    CHECK(std::filesystem::file_size(path) < 4'000'000);
    CHECK(query(path, "PRAGMA integrity_check") == "ok");
  }

  TEST_CASE("more late finishers than fit in memory all go when their time comes") {
    constexpr int kRows = 20'000;  // begun at 1,000 to 1,010, finished much later
    const TempDir directory;
    const auto path = directory.file("state.db");
    open_journal(path);
    auto database = sqlite::Database::open(path, SQLITE_OPEN_READWRITE, {});
    REQUIRE(database.has_value());
    REQUIRE(database->run(
        ("PRAGMA synchronous=OFF;"
         "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < " +
         std::to_string(kRows) +
         ") INSERT INTO transaction_rows SELECT i, 'g-' || i, 0, 3, 0, 1000 + i % 10,"
         " 10000 + (i * 7919) % 20000, NULL, 0, NULL, NULL, 1, 1, '{}', '[]', '[]',"
         " NULL, NULL, NULL FROM n")
            .c_str()));
    auto retention = store::HistoryCollector::prepare(database->handle(), 1'000);
    REQUIRE(retention.has_value());
    const auto left_at = [&](std::uint64_t before) {
      REQUIRE(database->run("BEGIN"));
      int steps = 0;
      for (; steps < 2'000; ++steps) {
        const auto more = (*retention)->step({before, 0});
        REQUIRE(more.has_value());
        if (!*more) break;
      }
      CHECK(steps < 2'000);
      REQUIRE(database->run("COMMIT"));
      return *database->integer("SELECT count(*) FROM transaction_rows");
    };
    CHECK(left_at(5'000) == kRows);  // all are late
    for (const std::uint64_t part : {1u, 500u, 501u, 7'000u, 19'999u})
      CHECK(left_at(10'000 + part) == kRows - static_cast<int>(part));
    CHECK(left_at(10'000 + kRows) == 0);
    CHECK(*(*retention)->step({10'000 + kRows, 0}) == false);
  }

  TEST_CASE_FIXTURE(RetentionFixture,
                    "a file that cannot become smaller is not asked to for ever") {
    const std::string payload(2'000, 'p');
    for (int i = 0; i < 4'000; ++i) {
      story.succeed(story.submit(Saga("g-" + std::to_string(i)).step("a", "b", payload)));
    }
    commit_with_rows();
    REQUIRE(journal->close().has_value());
    REQUIRE(query(path, "PRAGMA journal_mode=DELETE; PRAGMA auto_vacuum=NONE; VACUUM") == "delete");
    journal = open_journal(path);
    CHECK_FALSE(read_back(*journal)->recovered.file.returns_pages);
    CHECK(collect(story.now() + 1, 0) < 10);  // RetentionFixture::collect fails if it never ends
    CHECK(query(path, "SELECT count(*) FROM transactions") == "0");
    // The way out that the log names.
    REQUIRE(journal->close().has_value());
    REQUIRE(query(path, "PRAGMA auto_vacuum=INCREMENTAL; VACUUM") == "");
    journal = open_journal(path);
    CHECK(read_back(*journal)->recovered.file.returns_pages);
  }
}
