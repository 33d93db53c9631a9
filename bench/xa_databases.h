// The two databases of workload `xa`: a PostgreSQL and a MariaDB server for this run, with full
// durability, each with the table into which every transaction inserts one row.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"

namespace belay::bench {

class XaDatabases {
 public:
  XaDatabases() = default;
  XaDatabases(const XaDatabases&) = delete;
  XaDatabases& operator=(const XaDatabases&) = delete;
  virtual ~XaDatabases() = default;

  // Starts the servers with their files in `directory`. Blocks for some seconds. Errors:
  // unsupported (says what to install), storage, invalid_argument. Call it on a thread that lives
  // as long as the servers.
  static Result<std::unique_ptr<XaDatabases>> start(const std::string& directory);

  // Connection strings in the format of belay/xa.h.
  virtual std::string postgresql() const = 0;
  virtual std::string mariadb() const = 0;
  virtual std::string mariadb_socket() const = 0;

  // Checks that both hold the rows of this many transactions, the same ones, and nothing prepared.
  virtual Result<> verify(std::uint64_t transactions, std::vector<std::string>& problems) const = 0;
};

// The SQL for the row of one transaction, in either database. Neither text may contain a quote.
std::string insert_row(std::string_view gid, std::string_view payload);

}  // namespace belay::bench
