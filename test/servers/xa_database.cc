#include "servers/xa_database.h"

#include <libpq-fe.h>
#include <mysql.h>

#include <stdexcept>
#include <thread>

#include "servers/mariadb_server.h"
#include "servers/postgres_server.h"

namespace belay::test {
namespace {

using namespace belay::servers;

constexpr Millis kTimeout{5'000};

void wait_until_alone(const XaServer& server, const std::string& others_sql) {
  const auto deadline = std::chrono::steady_clock::now() + kServerDeadline;
  while (server.ask(others_sql) != "0") {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("still connected");
    std::this_thread::yield();
  }
}

void make_barrier(const XaServer& server) {
  const auto made = server.session()->make_ready();
  if (!made) throw std::runtime_error(made.error().detail);
}

class PostgresXa final : public XaServer {
 public:
  PostgresXa() {
    ask("CREATE SCHEMA shop");
    ask("CREATE TABLE shop.ledger (id varchar(64) PRIMARY KEY)");
    make_barrier(*this);
  }
  const char* name() const override { return "PostgreSQL"; }
  XaKind kind() const override { return XaKind::postgresql; }
  std::string conninfo() const override { return server_.conninfo(); }
  std::unique_ptr<xa::Connector> connector() const override {
    return std::move(*xa::postgresql_connector(conninfo(), kTimeout));
  }

  std::string ask(const std::string& sql) const override {
    const std::unique_ptr<PGconn, void (*)(PGconn*)> database(PQconnectdb(conninfo().c_str()),
                                                              PQfinish);
    const std::unique_ptr<PGresult, void (*)(PGresult*)> answer(PQexec(database.get(), sql.c_str()),
                                                                PQclear);
    const auto status = PQresultStatus(answer.get());
    if (status == PGRES_COMMAND_OK) return {};
    if (status != PGRES_TUPLES_OK) throw std::runtime_error(PQerrorMessage(database.get()));
    return PQntuples(answer.get()) == 0 ? "" : PQgetvalue(answer.get(), 0, 0);
  }

  void end_connections() const override {
    const std::string others =
        "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    ask("SELECT count(pg_terminate_backend(pid)) " + others);
    wait_until_alone(*this, "SELECT count(*) " + others);
  }
  std::string endless_sql() const override { return "SELECT pg_sleep(1000)"; }
  void kill9() override { server_.kill9(); }
  void restart() override { server_.restart(); }

 private:
  PostgresServer server_;
};

class MariaDbXa final : public XaServer {
 public:
  MariaDbXa() {
    ask("CREATE DATABASE shop");
    ask("CREATE TABLE shop.ledger (id varchar(64) PRIMARY KEY) ENGINE = InnoDB");
    make_barrier(*this);
  }
  const char* name() const override { return "MariaDB"; }
  XaKind kind() const override { return XaKind::mariadb; }
  std::string conninfo() const override { return server_.conninfo(); }
  std::unique_ptr<xa::Connector> connector() const override {
    return std::move(*xa::mariadb_connector(conninfo(), kTimeout));
  }

  std::string ask(const std::string& sql) const override {
    const std::unique_ptr<MYSQL, void (*)(MYSQL*)> database(connect(), mysql_close);
    run(database.get(), sql);
    std::string found;
    if (auto* answer = mysql_store_result(database.get()); answer != nullptr) {
      const auto* row = mysql_fetch_row(answer);
      if (row != nullptr && row[0] != nullptr) found = row[0];
      mysql_free_result(answer);
    }
    return found;
  }

  void end_connections() const override {
    const std::string others =
        "FROM information_schema.processlist WHERE id <> connection_id() AND user = 'root'";
    while (true) {
      const auto id = ask("SELECT id " + others + " LIMIT 1");
      if (id.empty()) break;
      try {
        ask("KILL " + id);
      } catch (const std::runtime_error&) {  // gone by itself
      }
    }
    // The engine below lets go a moment later than the list of processes does.
    wait_until_alone(*this,
                     "SELECT count(*) FROM information_schema.innodb_trx WHERE "
                     "trx_mysql_thread_id NOT IN (0, connection_id())");
  }
  std::string endless_sql() const override {
    return "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, "
           "information_schema.columns c";
  }
  void kill9() override { server_.kill9(); }
  void restart() override { server_.restart(); }

 private:
  MYSQL* connect() const {
    auto* database = mysql_init(nullptr);
    if (mysql_real_connect(database, nullptr, server_.user().c_str(), nullptr, nullptr, 0,
                           server_.socket().c_str(), 0) == nullptr) {
      const std::string words = mysql_error(database);
      mysql_close(database);
      throw std::runtime_error(words);
    }
    return database;
  }
  static void run(MYSQL* database, const std::string& sql) {
    if (mysql_query(database, sql.c_str()) != 0) throw std::runtime_error(mysql_error(database));
  }

  MariaDbServer server_;
};

}  // namespace

std::unique_ptr<xa::Session> XaServer::session(xa::Bounds bounds) const {
  auto session = connector()->connect();
  if (!session) throw std::runtime_error(session.error().detail);
  if (const auto bound = (*session)->bound(bounds); !bound)
    throw std::runtime_error(bound.error().detail);
  return std::move(*session);
}

std::size_t XaServer::prepared() const {
  const auto found = list_prepared(kind(), conninfo(), {});
  if (!found) throw std::runtime_error(found.error().detail);
  return found->size();
}

bool XaServer::ledger_has(const std::string& id) const {
  return ask("SELECT id FROM shop.ledger WHERE id = '" + id + "'") == id;
}

XaServer& xa_server(XaKind kind) {
  static PostgresXa postgresql;
  static MariaDbXa mariadb;
  if (kind == XaKind::mariadb) return mariadb;
  return postgresql;
}

Outcome run_sql(const Call&, pg_conn* database, void* user) {
  const auto& sql = *static_cast<const std::string*>(user);
  const std::unique_ptr<PGresult, void (*)(PGresult*)> answer(PQexec(database, sql.c_str()),
                                                              PQclear);
  const auto status = PQresultStatus(answer.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return Outcome::success();
  return Outcome::unknown(PQerrorMessage(database));
}

Outcome run_sql(const Call&, st_mysql* database, void* user) {
  const auto& sql = *static_cast<const std::string*>(user);
  // A statement that was ended may be told of by its rows only.
  if (mysql_query(database, sql.c_str()) == 0) mysql_free_result(mysql_store_result(database));
  if (mysql_errno(database) != 0) return Outcome::unknown(mysql_error(database));
  return Outcome::success();
}

xa::Work sql_work(std::string& sql) { return {run_sql, run_sql, &sql}; }

}  // namespace belay::test
