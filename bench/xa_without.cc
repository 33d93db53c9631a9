// The workload `xa` in a build that lacks the client library of a database: it cannot run.
#include "not_built.h"

namespace belay::bench {

std::unique_ptr<Workload> make_xa(const Settings&) {
  return std::make_unique<NotBuilt>("xa",
                                    "the client libraries of PostgreSQL and MariaDB (Debian: "
                                    "libpq-dev, libmariadb-dev)");
}

}  // namespace belay::bench
