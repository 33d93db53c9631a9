// XA: moves money from an account in PostgreSQL to one in MariaDB, in both databases or in neither.
//
//   xa_transfer STATE_FILE POSTGRESQL MARIADB AMOUNT [ID]
//
// POSTGRESQL is a connection string of libpq ("host=… dbname=…"), MARIADB is "host=… port=… user=…
// password=… database=…" or "socket=… …". In each database there is a table
//
//   CREATE TABLE accounts (name varchar(20) PRIMARY KEY, balance int NOT NULL);
//
// with a row 'alice' in PostgreSQL and 'bob' in MariaDB. PostgreSQL must allow prepared
// transactions: max_prepared_transactions > 0.
//
// Each database prepares its half, with the row locked; then belay decides, on disk, and lets both
// commit or both roll back. If this program or a database crashes in between, the next run of the
// program completes the work: belay finds the unfinished transactions in STATE_FILE. ID names the
// transfer: a second run with the same ID does not repeat the transfer.
#include <belay/belay.h>
#include <libpq-fe.h>
#include <mysql.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using belay::Outcome;

// The work of a branch is plain SQL on the connection that it gets. It must not commit: belay does
// that. A missing row or a lack of money is a failure: both branches are rolled back.
Outcome debit(const belay::Call& call, pg_conn* database, void*) {
  const std::string amount(call.payload);
  const char* const values[] = {amount.c_str()};
  PGresult* result = PQexecParams(database,
                                  "UPDATE accounts SET balance = balance - $1::int "
                                  "WHERE name = 'alice' AND balance >= $1::int",
                                  1, nullptr, values, nullptr, nullptr, 0);
  const bool ran = PQresultStatus(result) == PGRES_COMMAND_OK;
  const bool changed = ran && std::string_view(PQcmdTuples(result)) == "1";
  PQclear(result);
  if (!ran) return Outcome::unknown(PQerrorMessage(database));  // called again later
  return changed ? Outcome::success() : Outcome::failure("alice has not that much");
}

Outcome credit(const belay::Call& call, st_mysql* database, void*) {
  // The amount was already checked to be a number.
  const auto sql = "UPDATE accounts SET balance = balance + " + std::string(call.payload) +
                   " WHERE name = 'bob'";
  if (mysql_query(database, sql.c_str()) != 0) return Outcome::unknown(mysql_error(database));
  return mysql_affected_rows(database) == 1 ? Outcome::success()
                                            : Outcome::failure("there is no bob");
}

int complain(const belay::Error& error) {
  std::fprintf(stderr, "xa_transfer: %s\n", error.detail.c_str());
  return 1;
}

int transfer(belay::Engine& engine, char** argv, const std::string& amount, std::string id) {
  // These objects register with the engine and must outlive its calls: close the engine before they
  // are destroyed.
  auto alices = belay::XaDatabase::postgresql(engine, "alices-bank", argv[2]);
  if (!alices) return complain(alices.error());
  auto bobs = belay::XaDatabase::mariadb(engine, "bobs-bank", argv[3]);
  if (!bobs) return complain(bobs.error());
  if (auto done = alices->handle("debit", debit); !done) return complain(done.error());
  if (auto done = bobs->handle("credit", credit); !done) return complain(done.error());
  if (auto started = engine.start(); !started) return complain(started.error());

  const auto report = engine.run(belay::Xa(std::move(id))
                                     .branch(alices->branch("debit", amount))
                                     .branch(bobs->branch("credit", amount)));
  const auto closed = engine.close();
  if (!report) return complain(report.error());
  std::printf("%s %s %s\n", report->gid().c_str(),
              std::string(belay::name_of(report->status())).c_str(), report->reason().c_str());
  if (!closed) return complain(closed.error());
  return report->succeeded() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int amount = argc == 5 || argc == 6 ? std::atoi(argv[4]) : 0;
  if (amount <= 0) {
    std::fprintf(stderr, "usage: xa_transfer STATE_FILE POSTGRESQL MARIADB AMOUNT [ID]\n");
    return 2;
  }
  auto engine = belay::Engine::open(argv[1]);
  if (!engine) return complain(engine.error());
  return transfer(*engine, argv, std::to_string(amount), argc == 6 ? argv[5] : "");
}
