// As much of PostgreSQL's and MariaDB's clients as the programs that bring servers need: one text
// in, rows of texts out. Every failure is an Error with the database's words.
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
// As the user that MariaDbServer has.
Result<MariaDbConnection> connect_mariadb(const std::string& socket);

using Rows = std::vector<std::vector<std::string>>;

// One statement, with nothing in it that would have to be quoted.
Result<Rows> ask(pg_conn* database, const std::string& sql);
Result<Rows> ask(st_mysql* database, const std::string& sql);

// The two halves of `ask` without its rows, for who has something else to do meanwhile.
Result<> send(pg_conn* database, const std::string& sql);
Result<> finish(pg_conn* database);

}  // namespace belay::servers
