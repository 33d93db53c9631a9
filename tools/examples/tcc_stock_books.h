// The participants of tcc_stock: two warehouses and a credit line, whose books are in SQLite. Each
// call runs in one local transaction with the barrier's row, so that it may come twice, come late,
// or be undone before it was done.
#pragma once

#include <belay/belay.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

using belay::Outcome;

// ?1 is the gid, ?2 the name, ?3 the number.
constexpr const char* kOpenBooks = R"(
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS holdings (name TEXT PRIMARY KEY, free INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS reserved (gid TEXT, name TEXT, amount INTEGER);
  INSERT OR IGNORE INTO holdings VALUES ('north', 3), ('south', 10), ('credit', 100);)";
constexpr const char* kFree = "SELECT free FROM holdings WHERE name = ?2";
constexpr const char* kTake = "UPDATE holdings SET free = free - ?3 WHERE name = ?2";
constexpr const char* kNote = "INSERT INTO reserved VALUES (?1, ?2, ?3)";
constexpr const char* kReserved = "SELECT amount FROM reserved WHERE gid = ?1 AND name = ?2";
constexpr const char* kForget = "DELETE FROM reserved WHERE gid = ?1 AND name = ?2";
constexpr const char* kGiveBack = R"(
  UPDATE holdings SET free = free + (SELECT amount FROM reserved WHERE gid = ?1 AND name = ?2)
  WHERE name = ?2)";

// One connection; the calls, on worker threads, use it one at a time.
struct Books {
  sqlite3* database = nullptr;
  std::mutex mutex;

  ~Books() { sqlite3_close(database); }

  std::string words() const { return sqlite3_errmsg(database); }
  bool run(const char* sql) {
    return sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  // The first number found, or the number of changed rows. Nothing if the database failed.
  std::optional<int> run(const char* sql, std::string_view gid, std::string_view name, int number) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database, sql, -1, &statement, nullptr) != SQLITE_OK) return {};
    sqlite3_bind_text(statement, 1, gid.data(), static_cast<int>(gid.size()), SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, name.data(), static_cast<int>(name.size()), SQLITE_STATIC);
    sqlite3_bind_int(statement, 3, number);
    const int code = sqlite3_step(statement);
    const int found = code == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
    sqlite3_finalize(statement);
    if (code == SQLITE_ROW) return found;
    return code == SQLITE_DONE ? std::optional<int>(sqlite3_changes(database)) : std::nullopt;
  }
};

// A payload is "NAME NUMBER".
inline std::string_view name_in(const belay::Call& call) {
  return call.payload.substr(0, call.payload.find(' '));
}
inline int number_in(const belay::Call& call) {
  return std::atoi(std::string(call.payload.substr(call.payload.find(' ') + 1)).c_str());
}

// Runs `work` in a local transaction together with the barrier's row, so that it is done once.
template <class Work>
inline Outcome guarded(const belay::Call& call, void* user, Work work) {
  auto& books = *static_cast<Books*>(user);
  const std::lock_guard lock(books.mutex);
  return belay::Barrier(belay::Mode::tcc, call).call(books.database, [&] { return work(books); });
}

inline Outcome reserve(Books& books, const belay::Call& call, int amount) {
  const auto name = name_in(call);
  const bool done =
      books.run(kTake, {}, name, amount) == 1 && books.run(kNote, call.gid, name, amount) == 1;
  return done ? Outcome::success() : Outcome::unknown(books.words());
}

// A try that reserves the whole amount or fails.
inline Outcome try_all(const belay::Call& call, void* user) {
  return guarded(call, user, [&](Books& books) {
    const auto free = books.run(kFree, {}, name_in(call), 0);
    if (!free) return Outcome::unknown(books.words());
    return *free < number_in(call) ? Outcome::failure("not enough " + std::string(name_in(call)))
                                   : reserve(books, call, number_in(call));
  });
}

// Another try, which reserves as much as there is, maybe nothing.
inline Outcome try_some(const belay::Call& call, void* user) {
  return guarded(call, user, [&](Books& books) {
    const auto free = books.run(kFree, {}, name_in(call), 0);
    return free ? reserve(books, call, std::min(*free, number_in(call)))
                : Outcome::unknown(books.words());
  });
}

inline Outcome forget(Books& books, const belay::Call& call) {
  return books.run(kForget, call.gid, name_in(call), 0) ? Outcome::success()
                                                        : Outcome::unknown(books.words());
}
inline Outcome confirm(const belay::Call& call, void* user) {
  return guarded(call, user, [&](Books& books) { return forget(books, call); });
}
// Runs only after a try that did something: in all other cases the barrier answers.
inline Outcome cancel(const belay::Call& call, void* user) {
  return guarded(call, user, [&](Books& books) {
    const auto back = books.run(kGiveBack, call.gid, name_in(call), 0);
    return back ? forget(books, call) : Outcome::unknown(books.words());
  });
}
