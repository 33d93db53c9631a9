// The processes that the outbox test kills.
//
//   outbox_kill_driver FILE engine   an engine, until it is killed
//   outbox_kill_driver FILE shop     an application without an engine, which takes orders until it
//                                    is killed: each in one transaction with its submit
//   outbox_kill_driver FILE lie      the same, but the submit comes in a transaction of its own:
//   the
//                                    test's control
//   outbox_kill_driver FILE drain    an engine, until no request and no transaction is left
//
// Prints "ready" once it works.
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <thread>

#include "belay/belay.h"

namespace {

using namespace belay;

constexpr int kBusyMillis = 30'000;

[[noreturn]] void broken(const std::string& why) {
  std::printf("broken %s\n", why.c_str());
  std::fflush(stdout);
  ::_exit(1);
}

void ready() {
  std::printf("ready\n");
  std::fflush(stdout);
}

void run(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    broken(std::string(sql) + ": " + sqlite3_errmsg(database));
}

sqlite3* connect(const char* file) {
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(file, &database, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
    broken("the shop cannot open the file");
  sqlite3_busy_timeout(database, kBusyMillis);
  return database;
}

// Every third order is taken back.
[[noreturn]] void take_orders(const char* file, bool lies) {
  auto* database = connect(file);
  Outbox outbox(database);
  for (unsigned i = 1;; ++i) {
    run(database, "BEGIN IMMEDIATE; INSERT INTO orders DEFAULT VALUES");
    const auto order = std::to_string(sqlite3_last_insert_rowid(database));
    if (lies) run(database, "COMMIT");
    const auto posted = outbox.submit(Saga().step("deliver", "", order));
    if (!posted) broken(posted.error().detail);
    if (!lies) run(database, i % 3 == 0 ? "ROLLBACK" : "COMMIT");
    if (i == 1) ready();
  }
}

bool has_open_requests(sqlite3* database) {
  bool open = true;
  const auto note = [](void* to, int, char** row, char**) {
    *static_cast<bool*>(to) = row[0][0] != '0';
    return 0;
  };
  const auto* sql = "SELECT count(*) FROM belay_requests WHERE answered_at IS NULL";
  if (sqlite3_exec(database, sql, note, &open, nullptr) != SQLITE_OK) return true;
  return open;
}

int serve(const char* file, bool drains) {
  auto engine = Engine::open(file);
  if (!engine) broken(engine.error().detail);
  const auto yes = [](const Call&, void*) { return Outcome::success(); };
  if (!engine->handle("deliver", yes) || !engine->start()) broken("the engine does not start");
  ready();
  while (!drains) ::pause();
  auto* database = connect(file);
  while (has_open_requests(database) || engine->counters().live != 0) std::this_thread::yield();
  sqlite3_close(database);
  return engine->close() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string mode = argv[2];
  if (mode == "shop" || mode == "lie") take_orders(argv[1], mode == "lie");
  return serve(argv[1], mode == "drain");
}
