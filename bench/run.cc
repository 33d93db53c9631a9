// Runs a load: the transactions of a workload from the begin until they are final and durable, the
// floor for this same run, and the verification of everything.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "floor.h"
#include "load.h"
#include "machine.h"
#include "verify.h"
#include "work_dir.h"
#include "workload.h"
#include "workloads.h"

namespace belay::bench {
namespace {

// The interval of looks at the slices and at the progress of the run.
constexpr auto kLook = std::chrono::milliseconds(50);
constexpr double kDrainSecondsMax = 60;  // without one completion: the run hangs

Options engine_options(const Settings& settings, const Workload& workload) {
  Options options;
  workload.tune(options);
  options.history = settings.history;
  if (settings.retention_s >= 0) {
    options.retention = Millis(std::llround(settings.retention_s * 1000));
    options.retention_failed = options.retention;
  }
  if (settings.rate <= 0) {
    options.limits.queued_submits_max =
        std::max<std::size_t>(options.limits.queued_submits_max, settings.in_flight);
  }
  return options;
}

Interval interval_of(const Slice& slice, std::uint64_t began_ns, const std::string& path) {
  const auto us = [&](double part) {
    return static_cast<double>(slice.latencies.quantile(part)) / 1e3;
  };
  Interval interval;
  interval.until_s = static_cast<double>(slice.until_ns - began_ns) / 1e9;
  interval.tps = static_cast<double>(slice.latencies.count()) * 1e9 /
                 static_cast<double>(std::max<std::uint64_t>(1, slice.until_ns - slice.from_ns));
  interval.p50_us = us(0.5);
  interval.p99_us = us(0.99);
  interval.max_us = static_cast<double>(slice.latencies.max()) / 1e3;
  interval.log_bytes = slice.log_bytes;
  interval.file_bytes = file_bytes(path);
  interval.wal_bytes = file_bytes(path + "-wal");
  interval.rss_bytes = rss_bytes();
  return interval;
}

void take_intervals(Load& load, const std::string& path, Figures& figures) {
  while (const auto slice = load.take_slice()) {
    figures.intervals.push_back(interval_of(*slice, load.began_ns(), path));
    if (figures.settings.json) continue;
    if (figures.intervals.size() == 1) print_interval_head();
    print_interval(figures.intervals.back());
  }
}

// Returns false if the run hangs.
bool wait_until_finished(Load& load, const std::string& path, Figures& figures) {
  std::uint64_t last_completed = 0, moved_at = now_ns();
  while (!load.wait_for(kLook)) {
    take_intervals(load, path, figures);
    if (std::exchange(last_completed, load.completed()) != load.completed()) moved_at = now_ns();
    if (static_cast<double>(now_ns() - moved_at) / 1e9 > kDrainSecondsMax) return false;
  }
  take_intervals(load, path, figures);
  return true;
}

// The counters are published a moment after the last answer and before further requests are
// answered.
Result<Counters> settled_counters(Engine& engine) {
  if (const auto answered = engine.topics(); !answered) return answered.error();
  return engine.counters();
}

// With a number of transactions the window ends with the run, so `settled` has the counters at its
// end. The counters seen before may be one turn old, which matters only in a tiny run.
void take_window(const Window& window, const Counters& settled, Figures& figures) {
  const auto& at_end = figures.settings.transactions > 0 ? settled : window.at_end;
  const double seconds = static_cast<double>(window.until_ns - window.from_ns) / 1e9;
  figures.measured_seconds = seconds;
  if (window.transactions == 0 || seconds <= 0) return;
  const double transactions = static_cast<double>(window.transactions);
  const double commits = static_cast<double>(at_end.commits - window.at_start.commits);
  const auto written = [](const Counters& counters) {
    return counters.log_bytes_written + counters.row_bytes_written;
  };
  const double bytes = static_cast<double>(written(at_end) - written(window.at_start));
  figures.tps = transactions / seconds;
  figures.take_latencies(window.latencies);
  figures.cpu_seconds = window.cpu_at_end - window.cpu_at_start;
  figures.cpu_us_per_txn = *figures.cpu_seconds * 1e6 / transactions;
  figures.commits_per_s = commits / seconds;
  figures.bytes_per_txn = bytes / transactions;
  if (commits > 0) figures.bytes_per_commit = bytes / commits;
  if (window.storage_at_end > window.storage_at_start) {
    figures.storage_bytes_per_txn =
        static_cast<double>(window.storage_at_end - window.storage_at_start) / transactions;
  }
}

Result<> take_engines_floor(const std::string& path, double seconds, Figures& figures) {
  if (!figures.bytes_per_commit || !figures.commits_per_s) return {};
  FloorSettings settings;
  settings.path = path;
  settings.batch_bytes = static_cast<std::size_t>(*figures.bytes_per_commit);
  settings.seconds = seconds;
  const auto floor = measure_floor(settings);
  if (!floor) return floor.error();
  figures.floor_commits_per_s = floor->commits_per_s;
  figures.floor_commit_p50_us = floor->commit_p50_us;
  figures.take_floor(floor->commits_per_s * figures.tps / *figures.commits_per_s);
  if (figures.p99_us) figures.p99_over_floor_commit = *figures.p99_us / floor->commit_p50_us;
  const bool alone = figures.settings.rate <= 0 && figures.settings.in_flight == 1;
  if (alone && figures.p50_us)
    figures.p50_over_3_floor_commits = *figures.p50_us / (3 * floor->commit_p50_us);
  return {};
}

Result<> take_floor(const std::string& path, Workload& workload, Figures& figures) {
  const double seconds = floor_seconds(figures);
  const auto own = workload.own_floor(seconds);
  if (!own) return own.error();
  if (!*own) return take_engines_floor(path, seconds, figures);
  figures.floor_what = (*own)->what;
  figures.take_floor((*own)->tps);
  return {};
}

void verify_load(const Load& load, const Counters& counters, Figures& figures) {
  auto& problems = figures.problems;
  figures.transactions = load.submitted();
  figures.succeeded = load.succeeded();
  figures.failed = load.failed();
  figures.refused = load.refused();
  if (load.completed() != load.submitted()) {
    problems.push_back(
        fmt::format("{} of {} submits were answered", load.completed(), load.submitted()));
  }
  // An open loop that is too fast is refused by design, and the refusals are shown. In a closed
  // loop no refusal is allowed.
  const bool may_refuse = figures.settings.rate > 0 && load.first_error().starts_with("busy");
  if (!load.first_error().empty() && !may_refuse) problems.push_back(load.first_error());
  const auto failing = load.failing_submitted();
  const bool failed_right =
      load.refused() == 0 ? load.failed() == failing : load.failed() <= failing;
  if (!failed_right)
    problems.push_back(fmt::format("{} failed where {} were to fail", load.failed(), failing));
  if (counters.succeeded != load.succeeded() || counters.failed != load.failed() ||
      counters.live != 0) {
    problems.push_back(fmt::format("the engine counts {} succeeded, {} failed and {} live",
                                   counters.succeeded, counters.failed, counters.live));
  }
  if (load.window().transactions == 0)
    problems.push_back("the run was too short: nothing was measured");
}

void verify_run(const Load& load, Workload& workload, const std::string& path, Figures& figures) {
  if (const auto counted = workload.count(); !counted) {
    figures.problems.push_back("nobody knows what was called: " + counted.error().detail);
  }
  workload.verify({load.succeeded(), load.failed()}, figures.problems);
  Expected expected;
  expected.succeeded = load.succeeded();
  expected.failed = load.failed();
  expected.history = figures.settings.history;
  expected.retention_ran = figures.settings.retention_s > 0;
  expected.samples = load.samples();
  verify_file(path, expected, figures.problems);
  const auto& asked = figures.settings;
  figures.result_hash = hash_of(fmt::format(
      "{} {} {} {} {} {} {} {}", asked.seed, asked.branches, asked.payload_bytes,
      asked.fail_percent, load.submitted(), load.succeeded(), load.failed(), workload.calls()));
}

// Calls `take_down` however the run ends.
class TakeDown {
 public:
  explicit TakeDown(Workload& workload) : workload_(workload) {}
  TakeDown(const TakeDown&) = delete;
  TakeDown& operator=(const TakeDown&) = delete;
  ~TakeDown() { workload_.take_down(); }

 private:
  Workload& workload_;
};

}  // namespace

Result<Figures> run_load(const Settings& settings, Workload& workload) {
  auto dir = WorkDir::make(settings.dir, settings.keep);
  if (!dir) return dir.error();
  const std::string path = dir->file("belay.db");
  Figures figures;
  figures.workload = workload.name();
  figures.settings = settings;
  figures.machine = describe_machine(dir->path());

  auto engine = Engine::open(path, engine_options(settings, workload));
  if (!engine) return engine.error();
  const TakeDown take_down(workload);
  BELAY_TRY(workload.bring_up(dir->path()));
  Load load(*engine, workload, settings);
  BELAY_TRY(workload.register_on(*engine));
  BELAY_TRY(engine->start());
  BELAY_TRY(workload.set_up(*engine));
  load.begin();
  if (!wait_until_finished(load, path, figures))
    figures.problems.push_back("some transactions never became final");
  figures.rss_bytes = rss_bytes();
  figures.file_bytes = file_bytes(path);
  figures.wal_bytes = file_bytes(path + "-wal");
  const auto counters = settled_counters(*engine);
  if (!counters) return counters.error();
  BELAY_TRY(engine->close());

  take_window(load.window(), *counters, figures);
  verify_load(load, *counters, figures);
  verify_run(load, workload, path, figures);
  // If the run is wrong already, the following measurements are of no use.
  if (!figures.problems.empty()) return figures;
  BELAY_TRY(take_floor(dir->file("floor.db"), workload, figures));
  if (figures.workload != "saga") return figures;  // the probe uses a crowd of sagas
  const auto live = probe_live_bytes(settings, dir->file("live.db"));
  if (!live) return live.error();
  figures.live_bytes_per_txn = *live;
  return figures;
}

}  // namespace belay::bench
