// The process that the XA kill test kills: transactions across both databases, every fifth of them
// refused by the second.
//
//   xa_kill_driver STATE_FILE POSTGRESQL MARIADB PREFIX   submits until it is killed
//   xa_kill_driver STATE_FILE POSTGRESQL MARIADB          ends when all is final
//
// Lines: "taken" for each submit that was acknowledged, "broken WHY".
#include <libpq-fe.h>
#include <mysql.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "belay/belay.h"

namespace {

using namespace belay;

constexpr unsigned kLiveMax = 20;

void tell(const std::string& words) {
  const auto line = words + "\n";
  if (::write(1, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
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

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
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
    const std::string prefix = argc > 4 ? argv[4] : "";
    for (int i = 0; !prefix.empty(); ++i) {
      while (engine.counters().live >= kLiveMax) std::this_thread::yield();
      const auto id = prefix + std::to_string(i);
      must(engine.submit(Xa(id)
                             .branch(stock.branch("write", id))
                             .branch(bank.branch("write", id))
                             .timeout_to_fail(Millis(3'000))));
      tell("taken");
    }
    while (engine.counters().live > 0) std::this_thread::yield();
    must(engine.close());
  }
  return 0;
}
