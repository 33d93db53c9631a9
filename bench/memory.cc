// Workload `memory`: measures what a live transaction costs in addition to its payload.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "crowd.h"
#include "machine.h"
#include "verify.h"
#include "work_dir.h"
#include "workloads.h"

namespace belay::bench {
namespace {

constexpr std::uint64_t kProbeSmall = 4'000, kProbeLarge = 20'000;

double payload_bytes(const Settings& settings) {
  return static_cast<double>(settings.branches) * static_cast<double>(settings.payload_bytes);
}

double per_one(std::uint64_t before, std::uint64_t after, std::uint64_t count) {
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(count);
}

}  // namespace

Result<double> probe_live_bytes(const Settings& settings, const std::string& path) {
  Settings quiet = settings;
  quiet.unfinished = Unfinished::ongoing;
  Crowd crowd(quiet);
  auto engine = Engine::open(path, crowd.options(kProbeLarge));
  if (!engine) return engine.error();
  BELAY_TRY(crowd.register_unfinished(*engine));
  BELAY_TRY(engine->start());
  // The difference of two crowds, so that the cost of the engine itself cancels out.
  BELAY_TRY(crowd.grow(*engine, kProbeSmall));
  const auto small = heap_bytes();
  BELAY_TRY(crowd.grow(*engine, kProbeLarge));
  const auto large = heap_bytes();
  BELAY_TRY(engine->close());
  return per_one(small, large, kProbeLarge - kProbeSmall) - payload_bytes(settings);
}

Result<Figures> run_memory(const Settings& settings) {
  auto dir = WorkDir::make(settings.dir, settings.keep);
  if (!dir) return dir.error();
  const std::string path = dir->file("belay.db");
  Figures figures;
  figures.workload = "memory";
  figures.settings = settings;
  figures.machine = describe_machine(dir->path());

  const auto count = settings.transactions;
  Crowd crowd(settings);
  auto engine = Engine::open(path, crowd.options(count));
  if (!engine) return engine.error();
  BELAY_TRY(crowd.register_unfinished(*engine));
  BELAY_TRY(engine->start());
  trim_heap();
  const auto rss_before = rss_bytes(), heap_before = heap_bytes();
  const auto began = now_ns();
  const double cpu = cpu_seconds();
  BELAY_TRY(crowd.grow(*engine, count));
  figures.measured_seconds = static_cast<double>(now_ns() - began) / 1e9;
  figures.cpu_seconds = cpu_seconds() - cpu;
  figures.cpu_us_per_txn = *figures.cpu_seconds * 1e6 / static_cast<double>(count);
  trim_heap();
  figures.rss_bytes = rss_bytes();
  figures.live_bytes_per_txn =
      per_one(rss_before, *figures.rss_bytes, count) - payload_bytes(settings);
  figures.heap_bytes_per_txn = per_one(heap_before, heap_bytes(), count) - payload_bytes(settings);

  const auto counters = engine->counters();
  figures.tps = static_cast<double>(count) / figures.measured_seconds;
  figures.transactions = counters.submitted;
  figures.commits_per_s = static_cast<double>(counters.commits) / figures.measured_seconds;
  figures.bytes_per_txn =
      static_cast<double>(counters.log_bytes_written) / static_cast<double>(count);
  figures.file_bytes = file_bytes(path);
  figures.wal_bytes = file_bytes(path + "-wal");
  if (counters.live != count || counters.submitted != count) {
    figures.problems.push_back(fmt::format("{} of {} transactions are live", counters.live, count));
  }
  if (auto strange = crowd.strange_calls(); !strange.empty()) {
    figures.problems.push_back(std::move(strange));
  }
  BELAY_TRY(engine->close());
  Expected expected;
  expected.unfinished = count;
  expected.samples = crowd.samples();
  verify_file(path, expected, figures.problems);
  figures.result_hash =
      hash_of(fmt::format("memory {} {} {}", count, crowd.first_calls(), crowd.last_calls()));
  return figures;
}

}  // namespace belay::bench
