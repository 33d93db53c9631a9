// The barrier's table in SQLite, which allows one writer at a time: a second writer waits in
// `begin`, as long as the connection's busy timeout allows.
#include <fmt/format.h>
#include <sqlite3.h>

#include "barrier/local.h"
#include "belay/check.h"
#include "sqlite/sqlite.h"

namespace belay::barrier {
namespace {

constexpr const char* kCreateSqlite = R"(
  CREATE TABLE IF NOT EXISTS barrier (
    id          INTEGER PRIMARY KEY,
    trans_type  TEXT NOT NULL DEFAULT '',
    gid         TEXT NOT NULL DEFAULT '',
    branch_id   TEXT NOT NULL DEFAULT '',
    op          TEXT NOT NULL DEFAULT '',
    barrier_id  TEXT NOT NULL DEFAULT '',
    reason      TEXT NOT NULL DEFAULT '',  -- the op that wrote the row
    create_time TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (gid, branch_id, op, barrier_id)
  ))";

// Not INSERT OR IGNORE, which would also ignore a NOT NULL constraint.
constexpr const char* kInsertSqlite = R"(
  INSERT INTO main.barrier (gid, branch_id, op, barrier_id, trans_type, reason)
  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (gid, branch_id, op, barrier_id) DO NOTHING)";

constexpr const char* kReasonSqlite = R"(
  SELECT reason FROM main.barrier WHERE gid = ? AND branch_id = ? AND op = ? AND barrier_id = ?)";

constexpr const char* kHasTable =
    "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = 'barrier'";

using sqlite::Statement;

class Sqlite final : public Local {
 public:
  explicit Sqlite(sqlite3* database) : database_(database) {}

  bool in_transaction() const override { return sqlite3_get_autocommit(database_) == 0; }

  Result<> begin() override {
    if (in_transaction()) {
      return Error{ErrorCode::misuse, "the connection is inside a transaction already"};
    }
    return run("BEGIN IMMEDIATE", "beginning");
  }

  Result<bool> insert(const Row& row) override {
    auto statement = Statement::prepare(database_, kInsertSqlite);
    if (!statement) return failure("writing the barrier's row");
    bind_key(*statement, row);
    statement->bind_text(5, row.trans_type);
    statement->bind_text(6, row.reason);
    if (!statement->step()) return failure("writing the barrier's row");
    return sqlite3_changes(database_) > 0;
  }

  Result<std::string> reason(const Row& key) override {
    auto statement = Statement::prepare(database_, kReasonSqlite);
    if (!statement) return failure("reading the barrier's row");
    bind_key(*statement, key);
    const auto row = statement->step();
    if (!row || !*row) return failure("reading the barrier's row");
    return std::string(statement->bytes(0));
  }

  Result<> commit(const Row&) override {
    if (sqlite3_get_autocommit(database_) != 0) {
      return Error{ErrorCode::misuse, "the transaction ended inside the work"};
    }
    auto done = run("COMMIT", "committing");
    // If the transaction is still open, nothing was committed. Otherwise SQLite failed during the
    // commit.
    if (done || sqlite3_get_autocommit(database_) == 0) return done;
    return Error{ErrorCode::commit_unknown, done.error().detail};
  }

  void rollback() override {
    if (sqlite3_get_autocommit(database_) == 0) static_cast<void>(run("ROLLBACK", "rolling back"));
  }

  Result<bool> has_table() override {
    auto statement = Statement::prepare(database_, kHasTable);
    if (!statement) return failure("looking for the table");
    const auto row = statement->step();
    if (!row) return failure("looking for the table");
    return *row;
  }

  Result<> create_table() override { return run(kCreateSqlite, "creating the barrier's table"); }

 private:
  static void bind_key(Statement& statement, const Row& key) {
    int index = 0;
    for (const auto text : {key.gid, key.branch_id, key.op, key.barrier_id})
      statement.bind_text(++index, text);
  }

  Result<> run(const char* sql, std::string_view doing) {
    if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure(doing);
    return {};
  }

  Error failure(std::string_view doing) const {
    return {ErrorCode::storage,
            fmt::format("SQLite, {}: {} (code {})", doing, sqlite3_errmsg(database_),
                        sqlite3_extended_errcode(database_))};
  }

  sqlite3* database_;
};

}  // namespace

std::unique_ptr<Local> local(sqlite3* database) {
  BELAY_CHECK(database != nullptr);
  return std::make_unique<Sqlite>(database);
}

}  // namespace belay::barrier
