#include <libpq-fe.h>

#include <stdexcept>

#include "servers/postgres_server.h"
#include "servers/site.h"

namespace belay::test {
namespace {

using namespace belay::servers;

PostgresServer& postgres_server() {
  static PostgresServer one;
  return one;
}

class PostgresConnection final : public Connection {
 public:
  explicit PostgresConnection(const std::string& conninfo)
      : database_(PQconnectdb(conninfo.c_str())) {
    if (PQstatus(database_) != CONNECTION_OK) throw std::runtime_error(words());
  }
  ~PostgresConnection() override { PQfinish(database_); }

  Outcome call(Barrier& barrier, const std::function<Outcome()>& work) override {
    return barrier.call(database_, work);
  }
  Outcome query_prepared(std::string_view gid) override {
    return Barrier::query_prepared(gid, database_);
  }
  Result<Report> do_and_submit(Engine& engine, const Msg& msg,
                               const std::function<Outcome()>& work) override {
    return belay::do_and_submit(engine, msg, database_, work);
  }
  Result<> create_table() override { return Barrier::create_table(database_); }

  bool run(const std::string& sql) override {
    PGresult* result = PQexec(database_, sql.c_str());
    const auto status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  }
  std::vector<std::string> rows(const std::string& sql) override {
    PGresult* result = PQexec(database_, sql.c_str());
    const bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;
    std::vector<std::string> found;
    for (int row = 0; ok && row < PQntuples(result); ++row) {
      std::string text;
      for (int column = 0; column < PQnfields(result); ++column) {
        text += (column > 0 ? " " : "") + std::string(PQgetvalue(result, row, column));
      }
      found.push_back(text);
    }
    PQclear(result);
    if (!ok) throw std::runtime_error(words());
    return found;
  }
  std::string id() override { return std::to_string(PQbackendPID(database_)); }

 private:
  std::string words() const { return PQerrorMessage(database_); }

  PGconn* database_;
};

}  // namespace

std::string Postgres::address() { return postgres_server().conninfo(); }

std::unique_ptr<Connection> Postgres::connect_with(const std::string& isolation) {
  static const bool made = [] {
    PostgresConnection first(postgres_server().conninfo());
    return first.create_table().has_value() &&
           first.run("create table effects (story int, what varchar(45))");
  }();
  if (!made) throw std::runtime_error("cannot make the tables");
  auto connection = std::make_unique<PostgresConnection>(postgres_server().conninfo());
  connection->run("set default_transaction_isolation = '" + isolation + "'");
  return connection;
}

bool Postgres::someone_waits() {
  return !PostgresConnection(postgres_server().conninfo())
              .rows("select 1 from pg_stat_activity where wait_event_type = 'Lock'")
              .empty();
}

void Postgres::kill_connection(const std::string& id) {
  // Returns when it is gone.
  PostgresConnection(postgres_server().conninfo())
      .rows("select pg_terminate_backend(" + id + ", 20000)");
}

void Postgres::kill_server() { postgres_server().kill9(); }
void Postgres::restart_server() { postgres_server().restart(); }

}  // namespace belay::test
