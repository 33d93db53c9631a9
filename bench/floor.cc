#include "floor.h"

#include <sqlite3.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "machine.h"

namespace belay::bench {
namespace {

// The settings of the engine's own file, and the shape of its log. SQLite moves its write-ahead log
// into the file by itself, after as many bytes as the engine does.
constexpr const char* kPragmas =
    "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=256; PRAGMA journal_size_limit=67108864;"
    "PRAGMA cache_size=-16000;";
constexpr const char* kTable = "CREATE TABLE log(lsn INTEGER PRIMARY KEY, records BLOB NOT NULL)";
constexpr const char* kAppend = "INSERT INTO log(records) VALUES(?1)";
// The rows that every reopen must read.
constexpr const char* kReadLog = "SELECT lsn, records FROM log ORDER BY lsn";
constexpr const char* kReadUnfinished =
    "SELECT id, lsn, state FROM transaction_rows WHERE status < 3 ORDER BY id";

constexpr std::uint64_t kCommitsMin = 20;  // fewer commits are not significant

using Database = std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)>;
using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Error failure(sqlite3* db, const char* what) {
  return {ErrorCode::storage, fmt::format("{}: {}", what, sqlite3_errmsg(db))};
}

Result<Database> open(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open(path.c_str(), &raw);
  Database db(raw, &sqlite3_close_v2);
  if (code != SQLITE_OK) return failure(raw, "open");
  return db;
}

Result<Statement> prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &raw, nullptr) != SQLITE_OK) return failure(db, "prepare");
  return Statement(raw, &sqlite3_finalize);
}

// Bytes that no lower layer can compress.
std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = 0x9e3779b97f4a7c15U;
  for (char& byte : bytes) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    byte = static_cast<char>(state & 0xff);
  }
  return bytes;
}

struct Appender {
  sqlite3_stmt* statement;
  const std::string& row;

  bool append() const {
    sqlite3_bind_blob64(statement, 1, row.data(), row.size(), SQLITE_STATIC);
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && done;
  }
};

Floor summary(const Histogram& latencies, double seconds) {
  Floor floor;
  floor.commits = latencies.count();
  floor.seconds = seconds;
  floor.commits_per_s = seconds > 0 ? static_cast<double>(floor.commits) / seconds : 0;
  floor.commit_p50_us = static_cast<double>(latencies.quantile(0.5)) / 1e3;
  floor.latencies = latencies;
  return floor;
}

// Reads every byte of every column.
Result<> read_all(sqlite3* db, const char* sql) {
  auto statement = prepare(db, sql);
  if (!statement) return statement.error();
  auto* rows = statement->get();
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
    for (int column = sqlite3_column_count(rows); column-- > 0;) sqlite3_column_blob(rows, column);
  }
  if (code != SQLITE_DONE) return failure(db, "read");
  return {};
}

}  // namespace

Result<Floor> measure_floor(const FloorSettings& settings) {
  auto db = open(settings.path);
  if (!db) return db.error();
  for (const char* sql : {kPragmas, kTable}) {
    if (sqlite3_exec(db->get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      return failure(db->get(), sql);
  }
  auto statement = prepare(db->get(), kAppend);
  if (!statement) return statement.error();
  const std::string row = noise(settings.batch_bytes);
  const Appender appender{statement->get(), row};

  const auto length = static_cast<std::uint64_t>(settings.seconds * 1e9);
  const std::uint64_t start = now_ns();
  auto latencies = std::make_unique<Histogram>();
  std::uint64_t before = start, measured_from = 0;
  while (before - start < length || latencies->count() < kCommitsMin) {
    if (!appender.append()) return failure(db->get(), "append");
    const std::uint64_t now = now_ns();
    if (before - start >= length / 10) {
      if (measured_from == 0) measured_from = before;
      latencies->record(now - before);
    }
    before = now;
  }
  return summary(*latencies, static_cast<double>(before - measured_from) / 1e9);
}

Result<double> measure_read_floor(const std::string& path) {
  auto db = open(path);
  if (!db) return db.error();
  const std::uint64_t start = now_ns();
  for (const char* sql : {kReadLog, kReadUnfinished}) BELAY_TRY(read_all(db->get(), sql));
  return static_cast<double>(now_ns() - start) / 1e9;
}

}  // namespace belay::bench
