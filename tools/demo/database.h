// As much of SQLite as a bank of the demo needs: open, prepare, step. Every failure is an Error
// that names the file.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"

namespace belay::demo {

// One prepared statement, used again and again. Texts that are bound must live until it ran.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  // Starts it anew with these parameters.
  template <class... Values>
  Statement& with(const Values&... values) {
    reset();
    int index = 0;
    (bind(++index, values), ...);
    return *this;
  }
  Statement& with_all(const std::vector<std::string>& values);
  // True if there is a row to read. A failure ends it as well: `ok` tells.
  bool row();
  // Runs it to its end, without a row to read.
  bool run();
  bool ok() const { return ok_; }
  void reset();

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string_view text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  void bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }
  void bind(int index, std::string_view value);

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  bool ok_ = true;
};

// Not thread-safe: one thread at a time.
class Database {
 public:
  enum class Access : std::uint8_t { read, write };  // write creates the file

  static Result<Database> open(const std::string& path, Access access);

  // Runs SQL without results; several statements, if there are.
  Result<> run(const char* sql);
  Result<Statement> prepare(const char* sql);
  // The first column of the first row; 0 if there is none.
  Result<std::int64_t> number(const char* sql);

  int changed_rows() const { return sqlite3_changes(handle_.get()); }
  // False when an error (a full disk, say) made SQLite roll back by itself.
  bool in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }
  // What went wrong last, with the file's name.
  Error error() const;
  const std::string& path() const { return path_; }
  sqlite3* handle() { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
  };
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> handle_;
  std::string path_;
};

}  // namespace belay::demo
