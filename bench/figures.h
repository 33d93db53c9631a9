// The results of a run, and their output: one JSON object on a line for programs, a table for
// people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "histogram.h"
#include "machine.h"
#include "settings.h"

namespace belay::bench {

// A part of a long run.
struct Interval {
  double until_s = 0;  // since the run began
  double tps = 0;
  double p50_us = 0;
  double p99_us = 0;
  double max_us = 0;
  std::uint64_t log_bytes = 0;  // bytes in the log, not yet folded into rows
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t rss_bytes = 0;
};

// A value that a workload does not have stays empty: null in JSON, no line in the table.
struct Figures {
  std::string workload;
  Settings settings;
  Machine machine;

  double tps = 0;
  std::optional<double> p50_us, p95_us, p99_us, p999_us, max_us, p99_over_p50;
  std::optional<double> floor_tps, ratio;
  std::string floor_what = "bare SQLite, the same bytes";
  std::optional<double> floor_commits_per_s, floor_commit_p50_us, p50_over_3_floor_commits,
      p99_over_floor_commit;
  std::optional<double> commits_per_s, bytes_per_commit, bytes_per_txn, storage_bytes_per_txn;
  std::optional<double> cpu_seconds, cpu_us_per_txn;
  std::optional<std::uint64_t> rss_bytes;
  std::optional<double> live_bytes_per_txn, heap_bytes_per_txn;

  double measured_seconds = 0;
  std::uint64_t transactions = 0;  // all submits, including the warm-up
  std::uint64_t succeeded = 0, failed = 0, refused = 0;
  // Recovery: the time of the open itself, and the transactions a second after it.
  std::optional<double> open_seconds, resume_tps;
  std::optional<std::uint64_t> file_bytes, wal_bytes;
  std::vector<Interval> intervals;
  // Hash of the results that must be equal whenever the same work is done.
  std::string result_hash;
  std::vector<std::string> problems;  // found by the verification; empty: verified

  void take_latencies(const Histogram& latencies);
  void take_floor(double transactions_per_s);
};

// How long the floor of a finished run must be measured.
double floor_seconds(const Figures& figures);

nlohmann::ordered_json to_json(const Figures& figures);
// Prints to standard output.
void print_table(const Figures& figures);
void print_interval_head();
void print_interval(const Interval& interval);

}  // namespace belay::bench
