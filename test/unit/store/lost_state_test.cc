// A file, its write-ahead log, or both are not what an engine left: nothing is thrown away, nothing
// begins anew in silence, and what a power cut may leave still opens.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "belay/reader.h"
#include "support/process.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// What a killed engine leaves: a file, and a log with what was acknowledged.
struct LostStateFixture {
  LostStateFixture() {
    const auto live = directory.file("live.db");
    const auto journal = open_journal(live);
    Story story;
    for (const auto* gid : {"g-1", "g-2"}) {
      const auto id = story.submit(gid);
      auto batch = story.batch();
      story.add_row(batch, id);
      commit(*journal, batch);
    }
    std::filesystem::copy_file(live, path);
    std::filesystem::copy_file(live + "-wal", wal);
    REQUIRE(bytes_of(wal).size() > 1'000);
  }

  Result<store::Recovered> open(bool must_exist = false) const {
    store::JournalConfig config;
    config.path = path;
    config.must_exist = must_exist;
    auto journal = store::Journal::open(config);
    if (!journal) return journal.error();
    auto read = read_back(**journal);
    if (!read) return read.error();
    return std::move(read->recovered);
  }

  // By engine and reader alike; what lies there stays as it is.
  void check_refused(const std::string& words) const {
    const bool file_existed = std::filesystem::exists(path);
    const auto file_before = bytes_of(path);
    const auto wal_before = bytes_of(wal);
    const auto opened = open();
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::corrupt);
    CHECK(opened.error().detail.find(words) != std::string::npos);
    CHECK(opened.error().detail.find(wal) != std::string::npos);
    const auto reader = Reader::open(path);
    REQUIRE_FALSE(reader.has_value());
    CHECK(reader.error().code == ErrorCode::corrupt);
    CHECK(reader.error().detail == opened.error().detail);
    CHECK(std::filesystem::exists(path) == file_existed);
    CHECK(bytes_of(path) == file_before);
    CHECK(bytes_of(wal) == wal_before);
  }

  TempDir directory;
  std::string path = std::filesystem::canonical(directory.path()) / "state.db";
  std::string wal = path + "-wal";
};

}  // namespace

TEST_SUITE("store/lost state") {
  TEST_CASE_FIXTURE(LostStateFixture, "with both as they were all is there") {
    const auto opened = open(true);
    REQUIRE(opened.has_value());
    CHECK(opened->transactions == 2);
    CHECK_FALSE(opened->file.is_new);
    CHECK(opened->file.path == path);
    CHECK(opened->file.unfinished == 2);
    CHECK(opened->file.kept == 0);
    CHECK(opened->file.schema_before == opened->file.schema);
    CHECK(opened->file.returns_pages);
  }

  TEST_CASE_FIXTURE(LostStateFixture, "a log whose file is gone is refused, and not thrown away") {
    std::filesystem::remove(path);
    check_refused(path + " is gone or empty");
  }

  TEST_CASE_FIXTURE(LostStateFixture, "a log whose file is empty is refused") {
    put_bytes(path, "");
    check_refused(path + " is gone or empty");
  }

  TEST_CASE_FIXTURE(LostStateFixture, "a log that begins with garbage is refused") {
    const auto whole = bytes_of(wal);
    put_bytes(wal, std::string(whole.size(), 'x'));
    check_refused("is damaged");
    put_bytes(wal, std::string(whole.size(), '\0'));
    check_refused("is damaged");
    for (const std::size_t at : {0u, 5u, 10u, 13u, 18u, 23u, 25u, 31u}) {
      auto flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
      put_bytes(wal, flipped);
      CAPTURE(at);
      check_refused("is damaged");
    }
    put_bytes(wal, whole);
    CHECK(open()->transactions == 2);
  }

  // Its first bytes are synced before any batch follows, so nothing was acknowledged into such a
  // log; what the file itself holds is whole.
  TEST_CASE_FIXTURE(LostStateFixture, "a log that a power cut left before its first batch opens") {
    open_journal(path);  // everything into the file
    const auto header = std::string("\x37\x7f\x06\x82", 4);
    for (const auto& left : {std::string(), header, header + std::string(20, '\0'),
                             std::string(32, '\0'), std::string(32, 'x')}) {
      put_bytes(wal, left);
      CHECK(Reader::open(path).has_value());
      const auto opened = open();
      REQUIRE(opened.has_value());
      CHECK(opened->transactions == 2);
      put_bytes(wal, left);
      std::filesystem::rename(path, path + "-aside");
      CHECK(open()->file.is_new);
      std::filesystem::rename(path + "-aside", path);
    }
  }

  TEST_CASE_FIXTURE(LostStateFixture,
                    "a backup in the file's place does not get the log of before") {
    const auto backup = directory.file("backup.db");
    REQUIRE(query(directory.file("live.db"), "VACUUM INTO '" + backup + "'") == "");
    std::filesystem::copy_file(backup, path, std::filesystem::copy_options::overwrite_existing);
    check_refused("is the log of another file");
    std::filesystem::remove(wal);
    CHECK(open()->transactions == 2);
  }

  TEST_CASE_FIXTURE(LostStateFixture, "a new file is made, unless there must be one already") {
    const TempDir empty;
    path = empty.file("state.db");
    auto opened = open(true);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::not_found);
    CHECK(opened.error().detail.find(path) != std::string::npos);
    CHECK(std::filesystem::is_empty(empty.path()));  // no lock file either
    put_bytes(path, "");
    CHECK(open(true).error().code == ErrorCode::not_found);
    // What a crash leaves at the creation: a database with nothing in it.
    query(path, "PRAGMA page_size = 8192; PRAGMA auto_vacuum = 2; PRAGMA journal_mode = WAL");
    CHECK(open(true).error().code == ErrorCode::not_found);
    path = empty.file("no-folder/state.db");
    CHECK(open(true).error().code == ErrorCode::not_found);
    path = empty.file("state.db");
    opened = open();
    REQUIRE(opened.has_value());
    CHECK(opened->file.is_new);
    CHECK_FALSE(open()->file.is_new);
    CHECK(open(true).has_value());
  }

  TEST_CASE_FIXTURE(LostStateFixture, "a file that is to be checked is, and damage is named") {
    store::JournalConfig config;
    config.path = path;
    std::vector<unsigned> told;
    config.check_progress = [&told](unsigned percent) { told.push_back(percent); };
    CHECK(store::Journal::open(config).has_value());
    CHECK(told.back() == 100);
    const auto state = query(path, "UPDATE transaction_rows SET timeline = '[' WHERE gid = 'g-2'");
    REQUIRE(state == "");
    const auto before = bytes_of(path);
    const auto opened = store::Journal::open(config);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == ErrorCode::corrupt);
    CHECK(opened.error().detail.find("Transaction g-2: a JSON column") != std::string::npos);
    CHECK(bytes_of(path) == before);
    config.check_progress = nullptr;
    CHECK(store::Journal::open(config).has_value());
    CHECK(Reader::open(path)->read("g-1").has_value());
    CHECK(Reader::open(path)->read("g-2").error().code == ErrorCode::corrupt);
  }

  TEST_CASE_FIXTURE(LostStateFixture, "what is kept is counted as far as it costs nothing") {
    open_journal(path);
    const auto copy = [this](int from, int rows) {
      return query(path,
                   "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < " +
                       std::to_string(rows) + ") INSERT INTO transaction_rows SELECT i + " +
                       std::to_string(from) + ", 'k-' || (i + " + std::to_string(from) +
                       "), 0, 3, 0, 1, 1, NULL, 0, NULL, NULL, 1, 1, '{}', '[]', '[]', NULL, NULL,"
                       " NULL FROM n");
    };
    REQUIRE(copy(100, 10'000) == "");
    CHECK(open()->file.kept == 10'000);
    REQUIRE(copy(20'000, 500) == "");
    CHECK(open()->file.kept == 10'001);
    CHECK(open()->file.unfinished == 2);
  }
}
