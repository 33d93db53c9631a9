// A small client for PostgreSQL and MariaDB: a text with SQL in, rows of texts out. Every failure
// is an Error with the database's message.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "belay/result.h"

struct pg_conn;
struct st_mysql;

namespace belay::servers {

struct CloseConnection {
  void operator()(pg_conn* database) const;
  void operator()(st_mysql* database) const;
};
using PgConnection = std::unique_ptr<pg_conn, CloseConnection>;
using MariaDbConnection = std::unique_ptr<st_mysql, CloseConnection>;

Result<PgConnection> connect_postgresql(const std::string& conninfo);
// Connects as the user of MariaDbServer.
Result<MariaDbConnection> connect_mariadb(const std::string& socket);

using Rows = std::vector<std::vector<std::string>>;

// Runs one statement; nothing in it may need quoting.
Result<Rows> ask(pg_conn* database, const std::string& sql);
Result<Rows> ask(st_mysql* database, const std::string& sql);

// The two halves of `ask`, without its rows, for a caller that has other work between them.
Result<> send(pg_conn* database, const std::string& sql);
Result<> finish(pg_conn* database);

}  // namespace belay::servers
