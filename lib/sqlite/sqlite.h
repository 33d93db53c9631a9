// SQLite in C++: connections and statements that close themselves, and failures as `Error` with
// SQLite's message. A connection and its statements must be used by one thread at a time.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "belay/result.h"

namespace belay::sqlite {

// The text is "while DOING: SQLite's message (SQLite code 778)". The code is `corrupt` for a
// damaged file, `no_space` for a full disk, and otherwise `storage`.
Error sqlite_error(sqlite3* db, int code, std::string_view doing);

// A prepared statement that is used repeatedly: bind the values, step to the end, reset.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), unbound_(other.unbound_) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(unbound_, other.unbound_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(handle_); }

  static Result<Statement> prepare(sqlite3* db, std::string_view sql);

  // If binding a value fails, the next step reports that failure and does nothing else.
  void bind(int index, std::int64_t value) { note(sqlite3_bind_int64(handle_, index, value)); }
  void bind(int index, std::uint64_t value) { bind(index, static_cast<std::int64_t>(value)); }
  // Text and blobs are not copied: they must stay valid until the statement is reset.
  void bind_text(int index, std::string_view text) {
    note(sqlite3_bind_text64(handle_, index, text.data() == nullptr ? "" : text.data(), text.size(),
                             SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind_blob(int index, std::string_view bytes) {
    note(sqlite3_bind_blob64(handle_, index, bytes.data() == nullptr ? "" : bytes.data(),
                             bytes.size(), SQLITE_STATIC));
  }

  // True: there is a row.
  Result<bool> step() {
    const int code = unbound_ != SQLITE_OK ? unbound_ : sqlite3_step(handle_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return failure(code);
  }
  // For statements without rows: steps to the end and resets.
  Result<> run();
  void reset() {
    sqlite3_reset(handle_);
    unbound_ = SQLITE_OK;
  }

  bool is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
  std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
  std::uint64_t number(int column) const { return static_cast<std::uint64_t>(integer(column)); }
  // Valid until the next step or reset.
  std::string_view bytes(int column) const;

 private:
  Error failure(int code) const;
  void note(int code) {
    if (unbound_ == SQLITE_OK) unbound_ = code;
  }

  sqlite3_stmt* handle_ = nullptr;
  int unbound_ = SQLITE_OK;  // the first failure of a bind since the last reset
};

// Resets a statement at the end of a scope, so that no read outlives its function.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
  ~ResetAtEnd() { statement_.reset(); }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  Statement& statement_;
};

// For a short write of another connection, or only for a moment.
enum class Patience : int { write = 5'000, moment = 100 };  // ms
// How long a statement waits for the lock of another connection. SQLite's own busy timeout sleeps
// for up to 100 ms between two tries; beside a connection that writes without a pause it would find
// the file locked each time.
void wait_for_others(sqlite3* db, Patience patience);

class Database {
 public:
  Database() = default;
  Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Database() { close(); }

  static Result<Database> open(const std::string& path, int flags, const std::string& vfs);
  void close();

  sqlite3* handle() const { return handle_; }
  explicit operator bool() const { return handle_ != nullptr; }

  Result<> run(const char* sql);
  // The first column of the first row; 0 if there is no row.
  Result<std::int64_t> integer(std::string_view sql);
  Result<std::string> text(std::string_view sql);

  void wait_for_others(Patience patience) { sqlite::wait_for_others(handle_, patience); }
  // Sets whether SQLite moves the write-ahead log into the file when the last connection closes.
  void checkpoint_on_close(bool wanted);
  struct Moved {
    int frames = 0;  // the frames of the log that are now in the file
    bool all = false;
  };
  // Moves as much of the write-ahead log into the file as is possible without waiting.
  Result<Moved> move_wal();
  // The open file of the write-ahead log; null if there is none.
  sqlite3_file* wal_file();
  sqlite3_file* main_file();

 private:
  sqlite3* handle_ = nullptr;
};

}  // namespace belay::sqlite
