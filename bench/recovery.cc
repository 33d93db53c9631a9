// Workload `recovery`: a process is killed with many unfinished transactions in its file. Measures
// how fast and in how much memory the next process recovers them, and checks that they go on from
// their last state.
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <fmt/format.h>

#include "crowd.h"
#include "floor.h"
#include "machine.h"
#include "verify.h"
#include "watch.h"
#include "work_dir.h"
#include "workloads.h"

namespace belay::bench {
namespace {

constexpr std::chrono::milliseconds kResumeLook{5};

Result<> create_crowd(const Settings& settings, const std::string& path) {
  Crowd crowd(settings);
  auto engine = Engine::open(path, crowd.options(settings.transactions));
  if (!engine) return engine.error();
  BELAY_TRY(crowd.register_unfinished(*engine));
  BELAY_TRY(engine->start());
  BELAY_TRY(crowd.grow(*engine, settings.transactions));
  std::raise(SIGKILL);
  return {};
}

// Runs in a process of its own, so that the memory measured afterwards belongs only to the reopened
// engine, and so that the process can end without closing anything, as in a real crash.
Result<> create_and_die(const Settings& settings, const std::string& path) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return Error{ErrorCode::storage, "cannot fork"};
  if (child == 0) {
    const auto result = create_crowd(settings, path);
    if (!result) fmt::print(stderr, "belay-bench: {}\n", result.error().detail);
    std::_Exit(1);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
    return Error{ErrorCode::storage, "the unfinished transactions could not be made"};
  }
  return {};
}

// Only a parked crowd can finish now, because its handler is registered. The other crowds are due
// in an hour and must stay unfinished until then.
void resume(Engine& engine, Figures& figures) {
  const auto count = figures.settings.transactions;
  const bool finishing = figures.settings.unfinished == Unfinished::parked;
  const auto began = now_ns();
  const bool came_back = watch(engine, kResumeLook, [&](const Counters& counters, bool) {
    return (finishing ? counters.succeeded : counters.live) >= count;
  });
  const auto counters = engine.counters();
  figures.transactions = counters.live + counters.succeeded + counters.failed;
  figures.succeeded = counters.succeeded;
  figures.failed = counters.failed;
  if (finishing) {
    figures.resume_tps =
        static_cast<double>(counters.succeeded) * 1e9 / static_cast<double>(now_ns() - began);
  }
  if (came_back && figures.transactions == count) return;
  figures.problems.push_back(
      fmt::format("of {} transactions {} are live, {} succeeded and {} failed after the reopen",
                  count, counters.live, counters.succeeded, counters.failed));
}

void verify_calls(const Crowd& crowd, Figures& figures) {
  const auto wanted =
      figures.settings.unfinished == Unfinished::parked ? figures.settings.transactions : 0;
  if (crowd.first_calls() != 0) {
    figures.problems.push_back(fmt::format("{} finished branches ran again", crowd.first_calls()));
  }
  if (crowd.last_calls() != wanted) {
    figures.problems.push_back(
        fmt::format("{} last branches ran instead of {}", crowd.last_calls(), wanted));
  }
}

Result<Engine> reopen(const Crowd& crowd, const std::string& path, Figures& figures) {
  const auto& settings = figures.settings;
  const auto count = static_cast<double>(settings.transactions);
  const auto rss_before = rss_bytes(), heap_before = heap_bytes();
  const double cpu = cpu_seconds();
  const auto began = now_ns();
  auto engine = Engine::open(path, crowd.options(settings.transactions));
  if (!engine) return engine;
  figures.open_seconds = static_cast<double>(now_ns() - began) / 1e9;
  figures.cpu_seconds = cpu_seconds() - cpu;
  figures.cpu_us_per_txn = *figures.cpu_seconds * 1e6 / count;
  figures.measured_seconds = *figures.open_seconds;
  figures.tps = count / *figures.open_seconds;
  trim_heap();
  figures.rss_bytes = rss_bytes();
  const double payload =
      static_cast<double>(settings.branches) * static_cast<double>(settings.payload_bytes);
  const auto per_one = [&](std::uint64_t before, std::uint64_t after) {
    return (static_cast<double>(after) - static_cast<double>(before)) / count - payload;
  };
  figures.live_bytes_per_txn = per_one(rss_before, *figures.rss_bytes);
  figures.heap_bytes_per_txn = per_one(heap_before, heap_bytes());
  return engine;
}

}  // namespace

Result<Figures> run_recovery(const Settings& settings) {
  auto dir = WorkDir::make(settings.dir, settings.keep);
  if (!dir) return dir.error();
  const std::string path = dir->file("belay.db");
  BELAY_TRY(create_and_die(settings, path));

  Figures figures;
  figures.workload = "recovery";
  figures.settings = settings;
  figures.machine = describe_machine(dir->path());
  figures.file_bytes = file_bytes(path);
  figures.wal_bytes = file_bytes(path + "-wal");
  Crowd crowd(settings);
  auto engine = reopen(crowd, path, figures);
  if (!engine) return engine.error();
  const auto floor = measure_read_floor(path);
  if (!floor) return floor.error();
  figures.floor_tps = static_cast<double>(settings.transactions) / *floor;
  figures.ratio = figures.tps / *figures.floor_tps;

  const bool finishing = settings.unfinished == Unfinished::parked;
  BELAY_TRY(crowd.register_finishing(*engine));
  BELAY_TRY(engine->start());
  resume(*engine, figures);
  BELAY_TRY(engine->close());
  verify_calls(crowd, figures);
  Expected expected;
  expected.succeeded = finishing ? settings.transactions : 0;
  expected.unfinished = finishing ? 0 : settings.transactions;
  verify_file(path, expected, figures.problems);
  figures.result_hash =
      hash_of(fmt::format("recovery {} {} {} {}", settings.transactions, figures.succeeded,
                          crowd.first_calls(), crowd.last_calls()));
  return figures;
}

}  // namespace belay::bench
