// A gid that was used again behind the end of a transaction that left no row: its history was not
// kept, or was collected. Records of both are in the log.
#include <doctest/doctest.h>

#include <string>

#include "belay/reader.h"
#include "support/process.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

using namespace belay;
using namespace belay::test;

namespace {

struct ReuseFixture {
  ReuseFixture() {
    story.submit("g-holds-the-log");
    story.succeed(story.submit("g"));
  }

  // The next commit, with rows of these.
  void write(store::Journal& journal, const std::vector<core::TransactionId>& rows = {}) {
    auto batch = story.batch();
    for (const auto id : rows) story.add_row(batch, id);
    commit(journal, batch);
  }

  // The newer one is all that is left of the gid, whoever reads; `status` is the newer's.
  void check_one(Status status) const {
    auto reader = open_reader(path);
    const auto found = reader.find("g");
    REQUIRE(found.has_value());
    CHECK(found->id == static_cast<std::int64_t>(newer));
    CHECK(found->status == status);
    Filter filter;
    filter.gid_prefix = "g";
    const auto page = reader.list(filter);
    REQUIRE(page.has_value());
    CHECK(page->rows.size() == 2);
    CHECK(reader.stats()->succeed == 0);
    const auto report = reader.check({});
    REQUIRE(report.has_value());
    CHECK(report->problems.empty());
    CHECK(report->rows_checked == 2);
  }

  // An engine that keeps all writes a row of whatever it was handed, and goes on.
  void check_goes_on(std::size_t recovered) const {
    const auto journal = open_journal(path);
    auto read = read_back(*journal);
    REQUIRE(read.has_value());
    CHECK(read->transactions.size() == recovered);
    ports::Batch batch;
    for (const auto& one : read->transactions) {
      CHECK(one.transaction.id != older);
      ports::RowChange row;
      row.id = one.transaction.id;
      row.lsn = one.last_lsn;
      row.transaction = &one.transaction;
      batch.rows.push_back(std::move(row));
    }
    commit(*journal, batch);
    CHECK(query(path, "SELECT id FROM transactions WHERE gid = 'g'") == std::to_string(newer));
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  Story story;
  core::TransactionId older = 2;
  core::TransactionId newer = 3;
};

}  // namespace

TEST_SUITE("store/reuse") {
  TEST_CASE_FIXTURE(ReuseFixture, "one that was not kept stays gone behind a newer one's row") {
    {
      const auto journal = open_journal(path);
      write(*journal);
      story.fail(story.submit("g"), "no funds");
      write(*journal, {newer});
    }
    check_one(Status::failed);
    check_goes_on(1);
  }

  TEST_CASE_FIXTURE(ReuseFixture, "one that was collected stays gone behind a newer one's row") {
    {
      const auto journal = open_journal(path);
      write(*journal, {older});
      REQUIRE(journal->collect({.succeed_before = story.now() + 1, .failed_before = 0}));
      REQUIRE(query(path, "SELECT count(*) FROM transactions") == "0");
      story.fail(story.submit("g"), "no funds");
      write(*journal, {newer});
    }
    check_one(Status::failed);
    check_goes_on(1);
  }

  TEST_CASE_FIXTURE(ReuseFixture,
                    "one that was not kept stays gone behind a newer one in the log") {
    {
      const auto journal = open_journal(path);
      write(*journal);
      story.fail(story.submit("g"), "no funds");
      write(*journal);
    }
    check_one(Status::failed);
    check_goes_on(2);
  }

  TEST_CASE_FIXTURE(ReuseFixture,
                    "one that was not kept stays gone behind a newer unfinished one") {
    {
      const auto journal = open_journal(path);
      story.submit("g");
      write(*journal);
    }
    check_one(Status::submitted);
    {
      const auto journal = open_journal(path);
      auto batch = Story::without_records();
      story.add_row(batch, newer);
      commit(*journal, batch);
    }
    check_one(Status::submitted);
    check_goes_on(2);
  }

  TEST_CASE_FIXTURE(ReuseFixture,
                    "the row of a gid is its newest one's, whichever is written first") {
    const auto journal = open_journal(path);
    story.fail(story.submit("g"), "no funds");
    SUBCASE("the older first") {
      write(*journal, {older});
      write(*journal, {newer});
    }
    SUBCASE("the newer first") {
      write(*journal, {newer});
      write(*journal, {older});
    }
    const auto fresh = directory.file("fresh.db");
    const auto other = open_journal(fresh);
    auto batch = Story::without_records();
    story.add_row(batch, newer);
    commit(*other, batch);
    const std::string all = "SELECT * FROM transaction_rows WHERE gid = 'g'";
    CHECK(query(path, all) == query(fresh, all));
  }
}
