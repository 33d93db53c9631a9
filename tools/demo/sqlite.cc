#include "demo/sqlite.h"

namespace belay::demo {
namespace {

constexpr int kBusyMillis = 5'000;  // somebody may look into the file with sqlite3 meanwhile

int add_row(void* rows, int columns, char** fields, char**) noexcept {
  auto& row = static_cast<Rows*>(rows)->emplace_back();
  for (int i = 0; i < columns; ++i) row.emplace_back(fields[i] == nullptr ? "" : fields[i]);
  return 0;
}

void bind(sqlite3_stmt* statement, int index, const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    sqlite3_bind_int64(statement, index, *number);
  } else {
    const auto text = std::get<std::string_view>(value);
    sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), nullptr);
  }
}

}  // namespace

Result<Sqlite> Sqlite::open(const std::string& path, Access access) {
  const int flags =
      access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Sqlite database(handle, path);
  if (code != SQLITE_OK) return database.error();
  sqlite3_busy_timeout(handle, kBusyMillis);
  return database;
}

Result<Rows> Sqlite::ask(const std::string& sql) {
  Rows rows;
  const int code = sqlite3_exec(handle_.get(), sql.c_str(), &add_row, &rows, nullptr);
  return code == SQLITE_OK ? Result<Rows>(std::move(rows)) : error();
}

Result<Rows> Sqlite::ask(const char* sql, std::span<const Value> values) {
  auto& kept = statements_[sql];
  if (!kept) {
    sqlite3_stmt* prepared = nullptr;
    sqlite3_prepare_v3(handle_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    kept.reset(prepared);
    if (!kept) return error();
  }
  auto* statement = kept.get();
  int index = 0;
  for (const auto& value : values) bind(statement, ++index, value);
  Rows rows;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    auto& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      row.emplace_back(text == nullptr ? "" : text);
    }
  }
  return sqlite3_reset(statement) == SQLITE_OK ? Result<Rows>(std::move(rows)) : error();
}

Result<std::int64_t> Sqlite::number(const std::string& sql) {
  const auto rows = ask(sql);
  if (!rows) return rows.error();
  return rows->empty() ? 0 : std::stoll(rows->front().front());
}

Error Sqlite::error() const {
  return {ErrorCode::storage, path_ + ": " + sqlite3_errmsg(handle_.get())};
}

}  // namespace belay::demo
