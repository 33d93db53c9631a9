// The demo's banks as databases: connections to their servers, and which texts may stand in a
// statement as they are.
#pragma once

#include <string>
#include <string_view>

#include "belay/result.h"
#include "demo/bank.h"
#include "demo/run.h"
#include "servers/sql.h"

namespace belay::demo {

using servers::ask;
using servers::Rows;

// Letters, digits, dots, dashes and underscores: may stand between quotes as it is.
bool is_plain(std::string_view text);
// The same with slashes.
bool is_plain_path(std::string_view path);

// A connection of the demo's own to the server of one of its banks: PostgreSQL for bank a, MariaDB
// for bank b.
class Session {
 public:
  static Result<Session> connect(const Files& files, BankId bank);
  // `sql` holds no text from outside but what `is_plain`.
  Result<Rows> ask(const std::string& sql);

 private:
  explicit Session(servers::PgConnection database) : postgresql_(std::move(database)) {}
  explicit Session(servers::MariaDbConnection database) : mariadb_(std::move(database)) {}

  servers::PgConnection postgresql_;  // one of the two is null
  servers::MariaDbConnection mariadb_;
};

}  // namespace belay::demo
