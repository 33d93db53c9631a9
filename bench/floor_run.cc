// Workload `floor`: only bare SQLite, which appends batches of one size.
#include <fmt/format.h>

#include "floor.h"
#include "machine.h"
#include "verify.h"
#include "work_dir.h"
#include "workloads.h"

namespace belay::bench {

Result<Figures> run_floor(const Settings& settings) {
  auto dir = WorkDir::make(settings.dir, settings.keep);
  if (!dir) return dir.error();
  Figures figures;
  figures.workload = "floor";
  figures.settings = settings;
  figures.machine = describe_machine(dir->path());
  const double cpu = cpu_seconds();
  const auto floor = measure_floor({dir->file("floor.db"), settings.batch_bytes, settings.seconds});
  if (!floor) return floor.error();
  figures.cpu_seconds = cpu_seconds() - cpu;
  figures.measured_seconds = floor->seconds;
  figures.transactions = floor->commits;
  figures.succeeded = floor->commits;
  figures.tps = floor->commits_per_s;
  figures.floor_tps = floor->commits_per_s;
  figures.ratio = 1.0;
  figures.commits_per_s = floor->commits_per_s;
  figures.floor_commits_per_s = floor->commits_per_s;
  figures.floor_commit_p50_us = floor->commit_p50_us;
  figures.take_latencies(floor->latencies);
  figures.bytes_per_commit = static_cast<double>(settings.batch_bytes);
  figures.bytes_per_txn = figures.bytes_per_commit;
  figures.rss_bytes = rss_bytes();
  figures.file_bytes = file_bytes(dir->file("floor.db"));
  figures.result_hash = hash_of(fmt::format("floor {}", settings.batch_bytes));
  return figures;
}

}  // namespace belay::bench
