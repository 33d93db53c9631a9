// The floor of workload `xa`: the same two databases and SQL, so many threads with one connection
// to each, and nobody who remembers what was decided. Both databases are busy at once, as they are
// with belay.
#pragma once

#include <cstddef>

#include "belay/result.h"
#include "xa_databases.h"

namespace belay::bench {

struct XaFloorSettings {
  unsigned threads = 1;
  std::size_t payload_bytes = 0;
  double seconds = 1;  // the first tenth being the warm-up
};

// Transactions a second.
Result<double> measure_xa_floor(const XaDatabases& databases, const XaFloorSettings& settings);

}  // namespace belay::bench
