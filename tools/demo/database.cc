#include "demo/database.h"

namespace belay::demo {
namespace {

constexpr int kBusyMillis = 5'000;  // somebody may look into the file with sqlite3 meanwhile

}  // namespace

void Statement::reset() {
  sqlite3_reset(statement_.get());
  ok_ = true;
}

void Statement::bind(int index, std::string_view value) {
  sqlite3_bind_text(statement_.get(), index, value.data(), static_cast<int>(value.size()), nullptr);
}

Statement& Statement::with_all(const std::vector<std::string>& values) {
  reset();
  int index = 0;
  for (const auto& value : values) bind(++index, std::string_view(value));
  return *this;
}

bool Statement::row() {
  const int code = sqlite3_step(statement_.get());
  ok_ = code == SQLITE_ROW || code == SQLITE_DONE;
  return code == SQLITE_ROW;
}

bool Statement::run() {
  while (row()) {
  }
  const bool fine = ok_;
  reset();
  ok_ = fine;
  return fine;
}

std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, size);
}

Result<Database> Database::open(const std::string& path, Access access) {
  const int flags =
      access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(handle, path);
  if (code != SQLITE_OK) return database.error();
  sqlite3_busy_timeout(handle, kBusyMillis);
  return database;
}

Result<> Database::run(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error();
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return error();
  return Statement(statement);
}

Result<std::int64_t> Database::number(const char* sql) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  const std::int64_t value = statement->row() ? statement->integer(0) : 0;
  if (!statement->ok()) return error();
  return value;
}

Error Database::error() const {
  return {ErrorCode::storage, path_ + ": " + sqlite3_errmsg(handle_.get())};
}

}  // namespace belay::demo
