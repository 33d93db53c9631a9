// As much of PostgreSQL's and MariaDB's clients as the demo's banks need: one text in, rows of
// texts out. Every failure is an Error with the database's words.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "demo/bank.h"
#include "demo/run.h"

struct pg_conn;
struct st_mysql;

namespace belay::demo {

using Rows = std::vector<std::vector<std::string>>;

// One statement. `sql` holds no text from outside but what `is_plain`.
Result<Rows> ask(pg_conn* database, const std::string& sql);
Result<Rows> ask(st_mysql* database, const std::string& sql);

// Letters, digits, dots, dashes and underscores: may stand between quotes as it is.
bool is_plain(std::string_view text);
// The same with slashes.
bool is_plain_path(std::string_view path);

// A connection of the demo's own to the server of one of its banks: PostgreSQL for bank a, MariaDB
// for bank b.
class Session {
 public:
  static Result<Session> connect(const Files& files, BankId bank);
  Result<Rows> ask(const std::string& sql);

 private:
  struct Close {
    void operator()(pg_conn* database) const;
    void operator()(st_mysql* database) const;
  };
  Session(pg_conn* postgresql, st_mysql* mariadb) : postgresql_(postgresql), mariadb_(mariadb) {}

  std::unique_ptr<pg_conn, Close> postgresql_;  // one of the two is null
  std::unique_ptr<st_mysql, Close> mariadb_;
};

}  // namespace belay::demo
