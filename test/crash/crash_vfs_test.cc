// The disk that fails on command, shown on bare SQLite: what SQLite promises must hold on it, and
// what SQLite does not promise must be seen to break. Otherwise the suites that stand on it would
// prove nothing.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <string>

#include "support/crash_vfs.h"

namespace belay::test {
namespace {

// One connection with one table of numbers.
class Numbers {
 public:
  Numbers(CrashVfs& disk, const std::string& pragmas) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    ok_ = sqlite3_open_v2("numbers.db", &db_, flags, disk.name().c_str()) == SQLITE_OK &&
          run(pragmas) &&
          run("CREATE TABLE IF NOT EXISTS numbers(n INTEGER PRIMARY KEY, filler BLOB)");
  }
  ~Numbers() { sqlite3_close_v2(db_); }
  Numbers(const Numbers&) = delete;
  Numbers& operator=(const Numbers&) = delete;

  bool ok() const { return ok_; }
  bool run(const std::string& sql) {
    return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  bool add(long n) {
    return run("INSERT INTO numbers VALUES(" + std::to_string(n) + ", zeroblob(900))");
  }
  std::string ask(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    std::string answer = "error";
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      const auto* text = sqlite3_column_text(statement, 0);
      answer = text == nullptr ? "" : reinterpret_cast<const char*>(text);
    }
    sqlite3_finalize(statement);
    return answer;
  }

 private:
  sqlite3* db_ = nullptr;
  bool ok_ = false;
};

struct RowTally {
  unsigned runs = 0;
  unsigned violations = 0;  // runs that lost an acknowledged row, or the file
};

constexpr long kRows = 8;

struct Run {
  bool was_cut = false;
  bool good = false;
};

Run run_once(CrashVfs& disk, const std::string& pragmas, std::uint64_t cut_at) {
  disk.cut_at(cut_at);
  long acknowledged = 0;
  {
    Numbers numbers(disk, pragmas);
    while (numbers.ok() && acknowledged < kRows && numbers.add(acknowledged + 1)) ++acknowledged;
  }
  const bool was_cut = disk.was_cut();
  disk.cut();
  disk.power_on();
  Numbers after(disk, pragmas);
  const auto count = after.ask("SELECT count(*) FROM numbers");
  const bool good =
      after.ok() && after.ask("PRAGMA integrity_check") == "ok" &&
      after.ask("SELECT coalesce(max(n), 0) FROM numbers") == count &&
      (count == std::to_string(acknowledged) || count == std::to_string(acknowledged + 1));
  return {was_cut, good};
}

RowTally cut_everywhere(const std::string& pragmas, const DiskOptions& options) {
  RowTally tally;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    for (std::uint64_t at = 1;; ++at) {
      CrashVfs disk(seed * 1000 + at, options);
      const auto run = run_once(disk, pragmas, at);
      ++tally.runs;
      tally.violations += run.good ? 0 : 1;
      if (!run.was_cut) break;
    }
  }
  return tally;
}

const std::string kWalFull =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=5";
const std::string kWalNormal =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=5";
const std::string kRollback = "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA";

}  // namespace

TEST_SUITE("crash/vfs") {
  TEST_CASE("a write-ahead log with full syncs keeps every acknowledged row at any cut") {
    const auto tally = cut_everywhere(kWalFull, {});
    CHECK(tally.runs > 500);
    CHECK(tally.violations == 0);
  }

  // EXTRA and not FULL: only EXTRA syncs the directory after the journal's deletion, which is the
  // commit.
  TEST_CASE("a rollback journal with extra syncs keeps every acknowledged row at any cut") {
    const auto tally = cut_everywhere(kRollback, {});
    CHECK(tally.runs > 500);
    CHECK(tally.violations == 0);
  }

  TEST_CASE("control: a write-ahead log with normal syncs loses acknowledged rows") {
    CHECK(cut_everywhere(kWalNormal, {}).violations > 20);
  }

  TEST_CASE("control: a disk that lies about syncs loses acknowledged rows") {
    CHECK(cut_everywhere(kWalFull, {.lying_sync = true}).violations > 20);
    CHECK(cut_everywhere(kRollback, {.lying_sync = true}).violations > 20);
  }

  TEST_CASE("a killed process leaves what it wrote, and its locks are gone") {
    CrashVfs disk(1);
    Numbers before(disk, kWalNormal);
    REQUIRE(before.add(1));
    disk.kill();
    CHECK_FALSE(before.add(2));
    Numbers after(disk, kWalNormal);
    CHECK(after.add(3));
    CHECK(after.ask("SELECT group_concat(n) FROM numbers") == "1,3");
  }

  TEST_CASE("connections keep out of each other's way as on a real disk") {
    CrashVfs disk(1);
    Numbers writer(disk, kWalFull);
    Numbers other(disk, kWalFull);
    REQUIRE(writer.run("BEGIN IMMEDIATE"));
    REQUIRE(writer.add(1));
    CHECK_FALSE(other.add(2));
    CHECK(other.ask("SELECT count(*) FROM numbers") == "0");
    REQUIRE(writer.run("COMMIT"));
    CHECK(other.ask("SELECT count(*) FROM numbers") == "1");
    CHECK(other.add(2));
  }

  TEST_CASE("a fault strikes at the operation asked for, as often as asked, and goes when healed") {
    CrashVfs disk(1);
    Numbers numbers(disk, kWalFull);
    disk.fail(Fault::disk_full, 1, 1);
    CHECK_FALSE(numbers.add(1));
    CHECK(disk.faults_hit() == 1);
    CHECK(numbers.add(1));
    for (const auto fault :
         {Fault::disk_full, Fault::write_error, Fault::sync_error, Fault::read_only}) {
      CAPTURE(name_of(fault));
      disk.fail(fault, 1, 0);
      CHECK_FALSE(numbers.add(100));
      CHECK_FALSE(numbers.add(100));
      disk.heal();
    }
    Numbers again(disk, kWalFull);
    CHECK(again.ask("SELECT count(*) FROM numbers") == "1");
  }

  TEST_CASE("the same seed is the same history") {
    const auto digest_of = [](std::uint64_t seed) {
      CrashVfs disk(seed);
      run_once(disk, kWalFull, 40);
      return disk.digest();
    };
    CHECK(digest_of(3) == digest_of(3));
  }
}

}  // namespace belay::test
