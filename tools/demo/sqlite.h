// As much of SQLite as the demo needs, in the manner of servers/sql.h: SQL in, rows of texts out.
// Every failure is an Error (storage) that names the file.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "belay/result.h"
#include "servers/sql.h"

namespace belay::demo {

using servers::Rows;
// What stands for a ? in a statement.
using Value = std::variant<std::int64_t, std::string_view>;

// A connection. Not thread-safe: one thread at a time.
class Sqlite {
 public:
  enum class Access : std::uint8_t { read, write };  // write creates the file

  static Result<Sqlite> open(const std::string& path, Access access);

  // One statement or several, and the rows of all.
  Result<Rows> ask(const std::string& sql);
  // One statement, which is kept for the next time: `sql` has to live as long.
  Result<Rows> ask(const char* sql, std::span<const Value> values);
  // The number in the first row; 0 if there is none.
  Result<std::int64_t> number(const std::string& sql);
  // False when an error (a full disk, say) made SQLite roll back by itself.
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  sqlite3* handle() { return handle_.get(); }

 private:
  struct Free {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Sqlite(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  Error error() const;

  std::unique_ptr<sqlite3, Free> handle_;
  std::string path_;
  std::map<const char*, std::unique_ptr<sqlite3_stmt, Free>> statements_;
};

}  // namespace belay::demo
