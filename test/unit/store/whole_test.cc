// One transaction, whole: of one moment, and without the work for any other.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "store/fold.h"
#include "support/process.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

using namespace belay;
using namespace belay::test;

namespace {

struct Whole {
  // One of many, its records among theirs; its row, if it has one, covers the first of them.
  core::TransactionId write(bool with_row) {
    const auto journal = open_journal(path);
    const auto id = story.submit("mine");
    story.start(id, 0);
    auto batch = story.batch();
    if (with_row) story.add_row(batch, id);
    commit(*journal, batch);
    for (int i = 0; i < 50; ++i) {
      story.succeed(story.submit("other-" + std::to_string(i)));
      story.answer(id, 0, OutcomeKind::unknown, "busy");
      commit(*journal, story.batch());
    }
    REQUIRE(journal->close().has_value());
    return id;
  }

  std::string damage(const std::string& column, const std::string& value) {
    REQUIRE(query(path, "UPDATE transaction_rows SET " + column + " = '" + value +
                            "' WHERE gid = 'mine'") == "");
    auto reader = open_reader(path);
    const auto whole = reader.read("mine");
    REQUIRE_FALSE(whole.has_value());
    CHECK(whole.error().code == ErrorCode::corrupt);
    return whole.error().detail;
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  Story story;
};

store::Fold fold_one(const std::string& path, const std::string& gid) {
  auto database = sqlite::Database::open(path, SQLITE_OPEN_READWRITE, {});
  REQUIRE(database.has_value());
  auto fold = store::Fold::read_one(database->handle(), gid);
  REQUIRE(fold.has_value());
  return std::move(*fold);
}

// How many steps of SQLite's machine a statement takes.
int machine_steps(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  REQUIRE(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  while (sqlite3_step(statement) == SQLITE_ROW) continue;
  const int steps = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
  CHECK(sqlite3_finalize(statement) == SQLITE_OK);
  CHECK(sqlite3_close(db) == SQLITE_OK);
  return steps;
}

// A file with a saga of so many steps, in a row.
std::string write_long(const TempDir& directory, int steps) {
  const auto path = directory.file(std::to_string(steps) + ".db");
  Story story;
  Saga saga("g");
  for (int i = 0; i < steps; ++i) saga.step("do", "undo");
  const auto id = story.submit(saga);
  for (int i = 0; i < steps; ++i) {
    story.start(id, static_cast<std::uint32_t>(i));
    story.answer(id, static_cast<std::uint32_t>(i), OutcomeKind::success);
  }
  auto batch = story.batch();
  story.add_row(batch, id);
  commit(*open_journal(path), batch);
  return path;
}

}  // namespace

TEST_SUITE("store/whole") {
  TEST_CASE("what is told is of one moment, while an engine commits") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    Story story;
    const auto id = story.submit("g");
    story.start(id, 0);
    commit(*journal, story.batch());
    std::atomic<bool> ends{false};
    std::thread writer([&] {
      for (int i = 0; i < 300; ++i) {
        story.answer(id, 0, OutcomeKind::unknown, "busy");
        auto batch = story.batch();
        if (i % 3 == 0) story.add_row(batch, id);
        if (i % 3 == 0) batch.fold_below = batch.lsn;
        commit(*journal, batch);
      }
      ends = true;
    });
    auto reader = open_reader(path);
    while (!ends) {
      const auto whole = reader.read("g");
      REQUIRE(whole.has_value());
      const auto attempts = whole->row.attempts;
      CHECK(whole->branches.at(0).attempts == attempts);
      CHECK((attempts == 0 ? 0 : whole->timeline.back().repeats) == attempts);
    }
    writer.join();
    CHECK(reader.read("g")->row.attempts == 300);
  }

  TEST_CASE("only its own records are folded, however many others the log has") {
    for (const bool with_row : {false, true}) {
      CAPTURE(with_row);
      Whole file;
      const auto id = file.write(with_row);
      const auto fold = fold_one(file.path, "mine");
      CHECK(fold.only() == id);
      CHECK(fold.records() == 52);
      CHECK(open_reader(file.path).read("mine")->row.attempts == 50);
      CHECK(open_reader(file.path).read("other-7")->row.status == Status::succeed);
    }
  }

  TEST_CASE("whichever records are passed over, the others are read as ever") {
    using core::RecordKind;
    core::BatchWriter writer;
    std::vector<std::string> all[4];
    const auto told = [](const core::Record& record) {
      return std::to_string(static_cast<int>(record.kind)) + "|" + std::to_string(record.id) + "|" +
             std::to_string(record.at) + "|" + std::to_string(record.branch) + "|" +
             std::to_string(record.due_at) + "|" + std::string(record.text);
    };
    for (int kind = 1; kind <= 14; ++kind) {
      if (kind == 11) continue;  // there is none
      for (core::TransactionId id = 1; id <= 3; ++id) {
        core::Record record;
        record.kind = static_cast<RecordKind>(kind);
        record.id = id * 1'000;
        record.at = 1'700'000'000'000 - static_cast<std::uint64_t>(kind) * id;
        const bool of_branch = kind >= 2 && kind <= 4;
        if (of_branch || kind == 14) record.branch = 300;
        if (kind == 3 || kind == 9 || kind == 14) record.due_at = 1'800'000'000'000;
        const bool has_text = kind != 2 && kind != 6 && kind != 9 && kind != 14;
        if (has_text) record.text = "some text";
        writer.add(record);
        for (core::TransactionId one = 0; one <= 3; ++one) {
          if (one == id || core::begins(record.kind)) all[one].push_back(told(record));
        }
      }
    }
    const auto batch = writer.take();
    for (core::TransactionId one = 0; one <= 3; ++one) {
      auto reader = core::BatchReader::open(batch);
      REQUIRE(reader.has_value());
      std::vector<std::string> read;
      while (true) {
        const auto record = reader->next_of(one * 1'000);
        REQUIRE(record.has_value());
        if (!*record) break;
        read.push_back(told(**record));
      }
      CHECK(read == all[one]);
    }
  }

  TEST_CASE("the log is read from where its row is, not from its beginning") {
    Whole file;
    const auto id = file.write(false);
    const auto journal = open_journal(file.path);
    REQUIRE(read_back(*journal).has_value());
    auto batch = file.story.batch();
    file.story.add_row(batch, id);
    commit(*journal, Story::without_records());
    file.story.submit("last");
    batch = file.story.batch();
    file.story.add_row(batch, id);
    commit(*journal, batch);
    CHECK(fold_one(file.path, "mine").log_rows() <= 2);
    CHECK(fold_one(file.path, "last").log_rows() > 50);
  }

  TEST_CASE("a log row that cannot be read is told, whoever is asked for") {
    Whole file;
    file.write(false);
    REQUIRE(query(file.path, "UPDATE log SET records = x'01020304' WHERE lsn = 40") == "");
    auto reader = open_reader(file.path);
    const auto whole = reader.read("mine");
    REQUIRE_FALSE(whole.has_value());
    CHECK(whole.error().detail.find("log row 40") != std::string::npos);
    CHECK_FALSE(reader.find("nobody").has_value());
  }

  TEST_CASE("a column that cannot be read is named, with its transaction") {
    Whole file;
    const auto id = file.write(false);
    const auto journal = open_journal(file.path);
    REQUIRE(read_back(*journal).has_value());
    file.story.answer(id, 0, OutcomeKind::success);
    file.story.start(id, 1);
    file.story.answer(id, 1, OutcomeKind::success);
    file.story.finish(id, Status::succeed);
    auto batch = file.story.batch();
    file.story.add_row(batch, id);
    commit(*journal, batch);
    REQUIRE(journal->close().has_value());
    const auto whole = open_reader(file.path).read("mine");
    REQUIRE(whole.has_value());
    CHECK(file.damage("timeline", "[[1,2") ==
          "transaction mine: its column timeline cannot be read");
    CHECK(file.damage("definition", std::string(100'000, '[')) ==
          "transaction mine: its column definition cannot be read");
    CHECK(file.damage("definition", R"({"steps":[["a","b"]]})") ==
          "transaction mine: its column timeline cannot be read");
    CHECK(file.damage("timeline", "[]") == "transaction mine: its column branches cannot be read");
  }

  TEST_CASE("the work of a view grows with what it shows, not with its square") {
    const TempDir directory;
    const auto few_steps = write_long(directory, 100);
    const auto many_steps = write_long(directory, 400);
    for (const std::string view : {"branches", "timeline"}) {
      CAPTURE(view);
      const auto sql = "SELECT * FROM " + view + " WHERE gid = 'g'";
      const auto few = machine_steps(few_steps, sql);
      const auto many = machine_steps(many_steps, sql);
      CHECK(few > 100);
      CHECK(many < 6 * few);
    }
  }

  TEST_CASE("a file's views are those of the newest version after it was opened") {
    const TempDir directory;
    const auto path = write_long(directory, 3);
    const std::string count = "SELECT count(*) FROM branches";
    REQUIRE(query(path, count) == "6");
    REQUIRE(query(path, "DROP VIEW branches; CREATE VIEW branches AS SELECT 1") == "");
    REQUIRE(query(path, count) == "1");
    open_journal(path);
    CHECK(query(path, count) == "6");
  }
}
