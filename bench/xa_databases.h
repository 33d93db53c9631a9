// The two databases of workload `xa`: a PostgreSQL and a MariaDB of the run's own, as durable as
// they can be, each with the table that every transaction puts one row into.
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

  // Their files in there. Blocks for some seconds. Errors: unsupported (says what to install),
  // storage, invalid_argument. Call it on a thread that stays.
  static Result<std::unique_ptr<XaDatabases>> start(const std::string& directory);

  // As belay/xa.h wants it.
  virtual std::string postgresql() const = 0;
  virtual std::string mariadb() const = 0;
  virtual std::string mariadb_socket() const = 0;

  // Both hold the rows of so many transactions, the same ones, and nothing prepared.
  virtual Result<> verify(std::uint64_t transactions, std::vector<std::string>& problems) const = 0;
};

// The row of one transaction, in either database. Neither text has a quote.
std::string insert_row(std::string_view gid, std::string_view payload);

}  // namespace belay::bench
