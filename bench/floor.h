// The floor: how fast bare SQLite appends the same bytes (those of the log and of the rows) in as
// many commits, with the same durability, on the same disk. An engine that writes its decisions
// before it acts cannot be faster; the ratio of both is the result to report.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "belay/result.h"
#include "histogram.h"

namespace belay::bench {

struct FloorSettings {
  std::string path;             // a new file, which the caller must remove
  std::size_t batch_bytes = 0;  // the size of the row in one commit
  // The first tenth is the warm-up; longer if the disk is very slow.
  double seconds = 1;
};

struct Floor {
  std::uint64_t commits = 0;  // only the measured ones
  double seconds = 0;
  double commits_per_s = 0;
  double commit_p50_us = 0;
  Histogram latencies;
};

Result<Floor> measure_floor(const FloorSettings& settings);

// The floor of a reopen: the seconds that bare SQLite takes to read the log and the row of every
// unfinished transaction once.
Result<double> measure_read_floor(const std::string& path);

}  // namespace belay::bench
