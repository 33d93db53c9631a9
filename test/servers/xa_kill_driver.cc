// The process that the XA kill test kills: transactions across both databases, declared and driven,
// every fifth of them refused by the second.
//
//   xa_kill_driver STATE_FILE POSTGRESQL MARIADB PREFIX [STATEMENT WHEN]   goes on until it is
//   killed, or kills itself at that step
//   xa_kill_driver STATE_FILE POSTGRESQL MARIADB                           ends when all is final
//
// Lines: "taken N GID" for each submit or prepare that was acknowledged, "committed GID" and
// "aborted GID" for each word of a driven one that was, "broken WHY".
#include <libpq-fe.h>
#include <mysql.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <thread>

#include "belay/belay.h"
#include "servers/xa_kill_steps.h"

namespace {

using namespace belay;

constexpr unsigned kLiveMax = 20;
constexpr Millis kTimeoutToFail{2'000};
constexpr int kDrivers = 2;

void tell(const std::string& words) {
  const auto line = words + "\n";
  if (::write(1, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

void tell_taken(const std::string& gid) {
  static std::mutex mutex;
  static int count = 0;
  const std::lock_guard lock(mutex);
  tell("taken " + std::to_string(++count) + " " + gid);
}

template <class Value>
Value must(Result<Value> result) {
  if (result) return std::move(*result);
  tell("broken " + result.error().detail);
  ::_exit(1);
}

std::string sql_of(const Call& call) {
  return "INSERT INTO shop.ledger VALUES ('" + std::string(call.payload) + "')";
}

Outcome to_stock(const Call& call, pg_conn* database, void*) {
  auto* answer = PQexec(database, sql_of(call).c_str());
  const bool done = PQresultStatus(answer) == PGRES_COMMAND_OK;
  PQclear(answer);
  return done ? Outcome::success() : Outcome::unknown(PQerrorMessage(database));
}

Outcome to_bank(const Call& call, st_mysql* database, void*) {
  if (mysql_query(database, sql_of(call).c_str()) != 0) {
    return Outcome::unknown(mysql_error(database));
  }
  return call.payload.ends_with("0") || call.payload.ends_with("5") ? Outcome::failure("no")
                                                                    : Outcome::success();
}

struct Shop {
  Engine& engine;
  const XaDatabase& stock;
  const XaDatabase& bank;

  [[noreturn]] void declare(const std::string& prefix) {
    for (int i = 0;; ++i) {
      while (engine.counters().live >= kLiveMax) std::this_thread::yield();
      const auto id = prefix + std::to_string(i);
      must(engine.submit(Xa(id)
                             .branch(stock.branch("write", id))
                             .branch(bank.branch("write", id))
                             .timeout_to_fail(kTimeoutToFail)));
      tell_taken(id);
    }
  }

  [[noreturn]] void drive(const std::string& prefix) {
    for (int i = 0;; ++i) drive_one(prefix + std::to_string(i), i % 7);
  }

  // Every seventh is dropped without a word, every seventh aborted though all is well.
  void drive_one(const std::string& id, int fate) {
    auto order = must(Driven::begin(engine, Xa(id).timeout_to_fail(kTimeoutToFail)));
    tell_taken(id);
    for (const auto* database : {&stock, &bank}) {
      const auto outcome = order.branch(database->branch("write", id));
      // An error: given up meanwhile. The handle aborts what is not.
      if (!outcome || outcome->kind() != OutcomeKind::success) return;
    }
    if (fate == 5) return;
    const auto word = fate == 6 ? order.abort("changed its mind") : order.submit();
    if (word) tell((fate == 6 ? "aborted " : "committed ") + id);
  }
};

void load(Shop shop, const std::string& prefix) {
  std::vector<std::thread> drivers;
  for (int i = 0; i < kDrivers; ++i) {
    drivers.emplace_back(
        [&shop, name = prefix + "driven-" + std::to_string(i) + "-"] { shop.drive(name); });
  }
  shop.declare(prefix);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  if (argc == 7) belay::test::kill_at({.statement = argv[5], .when = argv[6]});
  Options options;
  options.retry.first_interval = Millis(50);
  options.retry.interval_max = Millis(500);
  auto engine = must(Engine::open(argv[1], options));
  {
    auto stock = must(XaDatabase::postgresql(engine, "kill-stock", argv[2]));
    auto bank = must(XaDatabase::mariadb(engine, "kill-bank", argv[3]));
    must(stock.handle("write", to_stock));
    must(bank.handle("write", to_bank));
    must(engine.start());
    if (argc > 4) load({engine, stock, bank}, argv[4]);
    while (engine.counters().live > 0) std::this_thread::yield();
    must(engine.close());
  }
  return 0;
}
