// The floor: how fast bare SQLite appends the same bytes (the log's and the rows') in as many
// commits, as durably, on the same disk. An engine that writes its decisions before it acts cannot
// be faster; how near it comes is the figure to quote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "belay/result.h"
#include "histogram.h"

namespace belay::bench {

struct FloorSettings {
  std::string path;             // a new file; left to the caller to remove
  std::size_t batch_bytes = 0;  // of one commit's row
  double seconds = 1;  // the first tenth being the warm-up; longer if the disk is very slow
};

struct Floor {
  std::uint64_t commits = 0;  // measured ones
  double seconds = 0;
  double commits_per_s = 0;
  double commit_p50_us = 0;
  Histogram latencies;
};

Result<Floor> measure_floor(const FloorSettings& settings);

// The floor of a reopen: the seconds bare SQLite takes to read the log and the row of every
// unfinished transaction, once.
Result<double> measure_read_floor(const std::string& path);

}  // namespace belay::bench
