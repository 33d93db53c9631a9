// The databases a participant may have, so that one table of cases can be run against each: SQLite,
// PostgreSQL and MariaDB, the servers with both of the usual default isolations. One server serves
// the whole program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/outbox.h"

namespace belay::test {

// One connection. The database has a table `effects (story int, what varchar)` besides the
// barrier's.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  virtual Outcome call(Barrier& barrier, const std::function<Outcome()>& work) = 0;
  virtual Outcome query_prepared(std::string_view gid) = 0;
  virtual Result<Report> do_and_submit(Engine& engine, const Msg& msg,
                                       const std::function<Outcome()>& work) = 0;
  virtual Result<> create_table() = 0;

  // True if it went well.
  virtual bool run(const std::string& sql) = 0;
  // The rows' columns with a blank between them; throws with the database's words.
  virtual std::vector<std::string> rows(const std::string& sql) = 0;
  // How the server calls this connection.
  virtual std::string id() { return {}; }
  // MariaDB's client can connect again by itself.
  virtual void let_reconnect() {}
};

struct Sqlite {
  static constexpr std::string_view kTable = "barrier";
  // What another process reaches it by.
  static constexpr std::string_view kKind = "sqlite";
  static std::string address();
  static std::unique_ptr<Connection> connect();
  // Whether a connection waits for another one's transaction (or did, since `forget_waits`).
  static bool someone_waits();
  static void forget_waits();
};

struct Postgres {
  static constexpr std::string_view kTable = kBarrierTable;
  static constexpr std::string_view kKind = "postgresql";
  static std::string address();
  static std::unique_ptr<Connection> connect_with(const std::string& isolation);
  static bool someone_waits();
  static void forget_waits() {}
  static void kill_connection(const std::string& id);
  static void kill_server();
  static void restart_server();
};

struct PostgresReadCommitted : Postgres {
  static std::unique_ptr<Connection> connect() { return connect_with("read committed"); }
};

struct PostgresRepeatableRead : Postgres {
  static std::unique_ptr<Connection> connect() { return connect_with("repeatable read"); }
};

struct MariaDb {
  static constexpr std::string_view kTable = kBarrierTable;
  static constexpr std::string_view kKind = "mariadb";
  static std::string address();
  static std::unique_ptr<Connection> connect_with(const std::string& isolation);
  static bool someone_waits();
  static void forget_waits() {}
  static void kill_connection(const std::string& id);
  static void kill_server();
  static void restart_server();
};

struct MariaDbReadCommitted : MariaDb {
  static std::unique_ptr<Connection> connect() { return connect_with("read committed"); }
};

struct MariaDbRepeatableRead : MariaDb {
  static std::unique_ptr<Connection> connect() { return connect_with("repeatable read"); }
};

}  // namespace belay::test

#define BELAY_SERVER_SITES                                                 \
  belay::test::PostgresReadCommitted, belay::test::PostgresRepeatableRead, \
      belay::test::MariaDbReadCommitted, belay::test::MariaDbRepeatableRead
#define BELAY_SITES belay::test::Sqlite, BELAY_SERVER_SITES
