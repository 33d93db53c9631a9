// The floor of workload `xa`: the same two databases and the same SQL, with a number of threads
// that have one connection to each, and no stored decisions. Both databases work at the same time,
// as they do with belay.
#pragma once

#include <cstddef>

#include "belay/result.h"
#include "xa_databases.h"

namespace belay::bench {

struct XaFloorSettings {
  unsigned threads = 1;
  std::size_t payload_bytes = 0;
  double seconds = 1;  // the first tenth is the warm-up
};

// Returns transactions a second.
Result<double> measure_xa_floor(const XaDatabases& databases, const XaFloorSettings& settings);

}  // namespace belay::bench
