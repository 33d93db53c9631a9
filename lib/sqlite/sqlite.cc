#include "sqlite/sqlite.h"

#include <fmt/format.h>

#include <cerrno>

namespace belay::sqlite {
namespace {

bool says_full(int reason) { return reason == ENOSPC || reason == EDQUOT || reason == EFBIG; }

// The last error of the system for the write-ahead log; 0: there is none, or no log.
int last_reason_of_wal(sqlite3* db) {
  sqlite3_file* file = nullptr;
  int reason = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  if (file == nullptr || file->pMethods == nullptr) return 0;
  file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &reason);
  return reason;
}

// SQLite has a separate error code only for ENOSPC, and uses it only when it writes a page.
bool is_full(sqlite3* db, int extended) {
  const int primary = extended & 0xff;
  if (primary == SQLITE_FULL || extended == SQLITE_IOERR_SHMSIZE) return true;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return false;
  if (db == nullptr) return says_full(errno);
  return says_full(sqlite3_system_errno(db)) || says_full(last_reason_of_wal(db));
}

// Invalid JSON in a column gives SQLITE_ERROR, the same code as a mistake in the SQL.
bool is_damage(int primary, std::string_view message) {
  return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB ||
         (primary == SQLITE_ERROR && message == "malformed JSON");
}

// A busy handler: the first tries follow each other closely, so that a short gap between two writes
// of a busy connection is found. Times are the VFS's.
constexpr int kCloseTries = 500;
constexpr int kCloseMicros = 100;
constexpr int kMicros = 1'000;

template <Patience kPatience>
int wait_some(void* db, int tried) noexcept {
  constexpr int kCloseMillis = kCloseTries * kCloseMicros / 1'000;
  if (tried >= kCloseTries + static_cast<int>(kPatience) - kCloseMillis) return 0;
  sqlite3_vfs* vfs = nullptr;
  sqlite3_file_control(static_cast<sqlite3*>(db), "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
  if (vfs == nullptr) return 0;
  vfs->xSleep(vfs, tried < kCloseTries ? kCloseMicros : kMicros);
  return 1;
}

}  // namespace

Error sqlite_error(sqlite3* db, int code, std::string_view doing) {
  const int extended = db == nullptr ? code : sqlite3_extended_errcode(db);
  const bool full = is_full(db, extended);
  const char* message = db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db);
  auto kind = ErrorCode::storage;
  if (is_damage(code & 0xff, message)) kind = ErrorCode::corrupt;
  if (full) kind = ErrorCode::no_space;
  return {kind, fmt::format("while {}: {} (SQLite code {})", doing, message, extended)};
}

Result<Statement> Statement::prepare(sqlite3* db, std::string_view sql) {
  Statement statement;
  const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement.handle_, nullptr);
  if (code != SQLITE_OK) return sqlite_error(db, code, fmt::format("preparing \"{}\"", sql));
  return statement;
}

Result<> Statement::run() {
  auto row = step();
  reset();
  if (!row) return row.error();
  return {};
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_, column));
  return data == nullptr ? std::string_view() : std::string_view(data, size);
}

Error Statement::failure(int code) const {
  if (unbound_ != SQLITE_OK)
    return sqlite_error(nullptr, code, fmt::format("binding \"{:.60}\"", sqlite3_sql(handle_)));
  return sqlite_error(sqlite3_db_handle(handle_), code,
                      fmt::format("running \"{:.60}\"", sqlite3_sql(handle_)));
}

Result<Database> Database::open(const std::string& path, int flags, const std::string& vfs) {
  Database database;
  const int code = sqlite3_open_v2(path.c_str(), &database.handle_,
                                   flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK)
    return sqlite_error(database.handle_, code, fmt::format("opening {}", path));
  return database;
}

void Database::close() {
  sqlite3_close_v2(handle_);
  handle_ = nullptr;
}

Result<> Database::run(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return sqlite_error(handle_, code, fmt::format("running \"{:.60}\"", sql));
  return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  auto statement = Statement::prepare(handle_, sql);
  if (!statement) return statement.error();
  auto row = statement->step();
  if (!row) return row.error();
  return *row ? statement->integer(0) : 0;
}

Result<std::string> Database::text(std::string_view sql) {
  auto statement = Statement::prepare(handle_, sql);
  if (!statement) return statement.error();
  auto row = statement->step();
  if (!row) return row.error();
  return *row ? std::string(statement->bytes(0)) : std::string();
}

void wait_for_others(sqlite3* db, Patience patience) {
  const bool is_long = patience == Patience::write;
  sqlite3_busy_handler(db, is_long ? wait_some<Patience::write> : wait_some<Patience::moment>, db);
}

void Database::checkpoint_on_close(bool wanted) {
  if (handle_ == nullptr) return;
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
}

Result<Database::Moved> Database::move_wal() {
  int frames = 0;
  int moved = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(handle_, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
    return sqlite_error(handle_, code, "moving the write-ahead log into the file");
  return Moved{moved, code == SQLITE_OK && moved == frames};
}

sqlite3_file* Database::wal_file() {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
  return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

sqlite3_file* Database::main_file() {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  return file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

}  // namespace belay::sqlite
