// Each kind of damage is planted once and must be found, and named.
#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "belay/reader.h"
#include "support/process.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

struct ReaderCheckFixture {
  ReaderCheckFixture() {
    const auto journal = open_journal(path);
    story.succeed(story.submit("g-done"));
    const auto open = story.submit("g-open");
    story.start(open, 0);
    auto batch = story.batch();
    story.add_row(batch, 1);
    story.add_row(batch, open);
    commit(*journal, batch);
    story.answer(open, 0, OutcomeKind::unknown, "timeout", story.now() + 5);
    commit(*journal, story.batch());
  }

  CheckReport check() const {
    auto reader = Reader::open(path);
    REQUIRE(reader.has_value());
    auto report = reader->check();
    if (!report) MESSAGE(report.error().detail);
    REQUIRE(report.has_value());
    return std::move(*report);
  }

  void check_found(const std::string& damage, const std::string& word) const {
    CAPTURE(damage);
    REQUIRE(query(path, damage) == "");
    const auto report = check();
    bool found = false;
    for (const auto& problem : report.problems) {
      CAPTURE(problem);
      CHECK(problem.back() == '.');
      found = found || problem.find(word) != std::string::npos;
    }
    CHECK(found);
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  Story story;
};

}  // namespace

TEST_SUITE("store/check") {
  TEST_CASE_FIXTURE(ReaderCheckFixture, "a sound file has no problem") {
    const auto report = check();
    CHECK(report.problems.empty());
    CHECK(report.rows_checked == 2);
    CHECK(report.records_checked == 9);
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "progress goes from 0 to 100 and never back") {
    auto reader = Reader::open(path);
    REQUIRE(reader.has_value());
    std::vector<unsigned> told;
    REQUIRE(reader->check([&](unsigned percent) { told.push_back(percent); }).has_value());
    REQUIRE(told.size() >= 2);
    CHECK(told.front() == 0);
    CHECK(told.back() == 100);
    CHECK(std::is_sorted(told.begin(), told.end()));
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "progress that throws ends nothing but the check") {
    auto reader = Reader::open(path);
    REQUIRE(reader.has_value());
    int calls = 0;
    const auto report = reader->check([&](unsigned) {
      ++calls;
      throw 1;
    });
    REQUIRE_FALSE(report.has_value());
    CHECK(report.error().code == ErrorCode::misuse);
    CHECK(calls == 1);
    CHECK(reader->stats().has_value());
    CHECK(reader->check()->problems.empty());
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a log row with a wrong checksum") {
    check_found("UPDATE log SET records = records || x'00' WHERE lsn = 2", "Log row 2: ");
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a log row that is missing") {
    // What follows it does not fit any more.
    check_found("DELETE FROM transaction_rows; DELETE FROM log WHERE lsn = 1", "cannot be folded");
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a log row that comes twice") {
    check_found("UPDATE log SET lsn = 4 WHERE lsn = 1; UPDATE transaction_rows SET lsn = 3",
                "cannot be folded");
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a state that cannot be read") {
    check_found("UPDATE transaction_rows SET state = x'01' WHERE gid = 'g-open'",
                "Transaction g-open: ");
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a state that is another's") {
    check_found("UPDATE transaction_rows SET gid = 'g-other' WHERE gid = 'g-open'",
                "g-other: its state is");
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a finished transaction with a state") {
    check_found("UPDATE transaction_rows SET state = x'00' WHERE gid = 'g-done'",
                "g-done: it is finished");
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a column that is no JSON") {
    for (const std::string column : {"definition", "branches", "timeline", "progress"}) {
      check_found("UPDATE transaction_rows SET " + column + " = '[1' WHERE gid = 'g-done'",
                  "g-done: a JSON column");
      REQUIRE(query(path, "UPDATE transaction_rows SET " + column + " = '[]'") == "");
    }
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a row newer than the log") {
    check_found("UPDATE transaction_rows SET lsn = 9 WHERE gid = 'g-done'",
                "g-done: its row is as of lsn 9");
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a transaction that nothing will wake") {
    const auto journal = open_journal(path);
    const auto id = story.submit("g-asleep");
    story.start(id, 0);
    story.answer(id, 0, OutcomeKind::success);  // and step 2 was not started
    commit(*journal, story.batch());
    check_found("", "g-asleep: nothing will ever wake it");
  }

  TEST_CASE_FIXTURE(ReaderCheckFixture, "a damaged page") {
    const auto page =
        std::stol(query(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'failed_rows'"));
    {
      std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp((page - 1) * 8192);
      file << "xxxxxxxxxxxxxxxx";
    }
    const auto report = check();
    REQUIRE_FALSE(report.problems.empty());
    CHECK(report.problems[0].find("SQLite") != std::string::npos);
  }
}
