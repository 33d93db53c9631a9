// What the store does not understand it refuses, and leaves as it is.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "belay/reader.h"
#include "support/process.h"
#include "unit/core/samples.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Opened and recovered; the error, if there is one.
Result<> open_whole(const std::string& path) {
  store::JournalConfig config;
  config.path = path;
  auto journal = store::Journal::open(config);
  if (!journal) return journal.error();
  auto read = read_back(**journal);
  if (!read) return read.error();
  return {};
}

// Refused by engine and reader alike, and not a byte of it changed.
void check_refused(const std::string& path, ErrorCode code, const std::string& word) {
  const auto before = contents(path);
  const auto opened = open_whole(path);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == code);
  CHECK(opened.error().detail.find(word) != std::string::npos);
  CHECK(contents(path) == before);
  const auto reader = Reader::open(path);
  REQUIRE_FALSE(reader.has_value());
  CHECK(reader.error().code == code);
  CHECK(contents(path) == before);
}

// A file with one unfinished transaction, its log row not folded.
std::string make_file(const TempDir& directory) {
  const auto path = directory.file("state.db");
  const auto journal = open_journal(path);
  Story story;
  const auto id = story.submit("g");
  commit(*journal, story.batch());
  story.start(id, 0);
  auto batch = story.batch();
  story.add_row(batch, id);
  commit(*journal, batch);
  return path;
}

}  // namespace

TEST_SUITE("store/refusal") {
  TEST_CASE("a newer schema is refused as unsupported") {
    const TempDir directory;
    const auto path = make_file(directory);
    query(path, "PRAGMA user_version = 5");
    check_refused(path, ErrorCode::unsupported, "schema version 5");
  }

  TEST_CASE("another program's database is refused") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    write(path, "");
    query(path, "CREATE TABLE theirs(x)");
    check_refused(path, ErrorCode::corrupt, "another program");
    query(path, "PRAGMA application_id = 7; DROP TABLE theirs");
    check_refused(path, ErrorCode::corrupt, "another program");
    query(path, "PRAGMA application_id = 0; PRAGMA user_version = 1");
    check_refused(path, ErrorCode::corrupt, "another program");
  }

  TEST_CASE("another program's write-ahead log is not folded into its file") {
    const TempDir directory;
    const auto theirs = directory.file("theirs.db");
    write(theirs, "");
    query(theirs, "PRAGMA journal_mode = WAL; CREATE TABLE theirs(x)");
    // What a killed program leaves: a copy taken while it is open.
    const auto path = directory.file("state.db");
    const auto copy = "sqlite3 " + theirs + " 'INSERT INTO theirs VALUES(1)' '.system cp " +
                      theirs + " " + path + "' '.system cp " + theirs + "-wal " + path + "-wal'";
    if (run({.argv = {"/bin/sh", "-c", copy}}).exit_code != 0) return;  // no sqlite3 shell here
    const auto wal = contents(path + "-wal");
    REQUIRE_FALSE(wal.empty());
    check_refused(path, ErrorCode::corrupt, "another program");
    CHECK(contents(path + "-wal") == wal);
  }

  TEST_CASE("garbage and truncated files are refused") {
    const TempDir directory;
    const auto path = make_file(directory);
    const auto whole = contents(path);
    const auto garbage = directory.file("garbage.db");
    write(garbage, std::string(20'000, 'x'));
    check_refused(garbage, ErrorCode::corrupt, "not a database");
    const auto cut = directory.file("cut.db");
    write(cut, whole.substr(0, whole.size() / 2));
    check_refused(cut, ErrorCode::corrupt, "malformed");
  }

  TEST_CASE("a log row that fails its checksum stops the open and is named") {
    const TempDir directory;
    const auto path = make_file(directory);
    query(
        path,
        "UPDATE log SET records = substr(records, 1, length(records) - 1) || x'ff' WHERE lsn = 2");
    const auto opened = open_whole(path);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::corrupt);
    CHECK(opened.error().detail.find("log row 2") != std::string::npos);
  }

  TEST_CASE("a log row of a newer format is unsupported, one whose first byte broke is damaged") {
    const TempDir directory;
    const auto path = make_file(directory);
    std::string newer = "\x7fnews";
    base::put_u32(newer, base::crc32c(newer));
    query(path, "UPDATE log SET records = x'" + hex(newer) + "' WHERE lsn = 1");
    auto opened = open_whole(path);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::unsupported);
    CHECK(opened.error().detail == "log row 1: batch format 127");
    query(path, "UPDATE log SET records = x'7e' || substr(records, 2) WHERE lsn = 1");
    opened = open_whole(path);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::corrupt);
    CHECK(opened.error().detail == "log row 1: a batch of no known format");
  }

  TEST_CASE("a row whose state broke anywhere is damaged, never of a newer version") {
    const TempDir directory;
    const auto path = make_file(directory);
    query(path, "DELETE FROM log");
    for (const std::string_view damaged :
         {"x'03' || substr(state, 2)", "substr(state, 1, 9) || x'ff' || substr(state, 11)"}) {
      query(path, "CREATE TABLE whole AS SELECT state FROM transaction_rows");
      query(path, fmt::format("UPDATE transaction_rows SET state = {}", damaged));
      const auto opened = open_whole(path);
      REQUIRE_FALSE(opened.has_value());
      CHECK(opened.error().code == ErrorCode::corrupt);
      CHECK(opened.error().detail.starts_with("the row of transaction 1: a snapshot "));
      query(path,
            "UPDATE transaction_rows SET state = (SELECT state FROM whole); DROP TABLE whole");
    }
    CHECK(open_whole(path).has_value());
  }

  TEST_CASE("a row whose state cannot be read stops the open and is named") {
    const TempDir directory;
    const auto path = make_file(directory);
    query(path, "DELETE FROM log; UPDATE transaction_rows SET state = x'01'");
    const auto opened = open_whole(path);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::corrupt);
    CHECK(opened.error().detail.find("transaction 1") != std::string::npos);
  }

  TEST_CASE("a file whose creation was cut short is created anew") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    write(path, "");
    CHECK(open_whole(path).has_value());
    const auto half = directory.file("half.db");
    write(half, "");
    query(half, "PRAGMA page_size = 8192; PRAGMA auto_vacuum = 2; PRAGMA journal_mode = WAL");
    CHECK(open_whole(half).has_value());
    CHECK(query(half, "PRAGMA auto_vacuum; PRAGMA user_version") == "2\n4");
  }

  TEST_CASE("a reader creates no file and says what is missing") {
    const TempDir directory;
    const auto none = Reader::open(directory.file("none.db"));
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error().code == ErrorCode::not_found);
    CHECK(std::filesystem::is_empty(directory.path()));
    const auto path = directory.file("empty.db");
    write(path, "");
    const auto empty = Reader::open(path);
    REQUIRE_FALSE(empty.has_value());
    CHECK(empty.error().code == ErrorCode::corrupt);
  }
}
