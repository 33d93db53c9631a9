#include "demo/conduct.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <mutex>

namespace belay::demo {
namespace {

using Clock = std::chrono::steady_clock;

// What one worker told until it ended or was killed.
struct Told {
  RunStart start;
  std::optional<RunEnd> end;
  std::uint64_t run_micros = 0;
  int exit_code = 0;
};

// Kills the worker when `kill_at` transfers are answered. What it told before counts, whenever it
// is read.
Told listen(Child& worker, std::size_t kill_at, Results& results, const Onlooker& onlooker) {
  Told told;
  auto started_at = Clock::now();
  bool killed = false;
  while (const auto event = next_event(worker)) {
    if (event->start) {
      told.start = *event->start;
      started_at = Clock::now();
    }
    if (event->answer) results.add(*event->answer);
    if (event->end) told.end = event->end;
    if (!killed && results.done() >= kill_at) {
      worker.kill();
      killed = true;
      told.run_micros = micros_since(started_at);
      onlooker.killed(worker.pid());
    }
    onlooker.done(results.done());
  }
  if (told.end) told.run_micros = told.end->run_micros;
  told.exit_code = worker.wait();
  return told;
}

Error died(const Told& told) {
  return {ErrorCode::closed,
          told.exit_code < 0
              ? fmt::format("the engine's process was ended by signal {}", -told.exit_code)
              : fmt::format("the engine's process ended with code {}", told.exit_code)};
}

}  // namespace

Result<Story> conduct(const Settings& settings, const std::vector<Transfer>& transfers,
                      Results& results, const Onlooker& onlooker) {
  std::mutex mutex;
  RunWatcher watcher;
  watcher.started = [](const RunStart&) {};
  watcher.answered = [&](const Answer& answer) {
    const std::lock_guard lock(mutex);
    results.add(answer);
  };
  watcher.tick = [&] {
    std::size_t done = 0;
    {
      const std::lock_guard lock(mutex);
      done = results.done();
    }
    onlooker.done(done);
  };
  const auto end = run_transfers(settings, transfers, watcher);
  if (!end) return end.error();
  return Story{std::nullopt, end->run_micros, end->stuck, end->gave_up};
}

Result<Story> conduct_killed(unsigned percent, const std::vector<std::string>& argv,
                             Results& results, const Onlooker& onlooker, int& failed) {
  auto first = Child::start(argv);
  if (!first) return first.error();
  const auto kill_at = std::max((results.size() * percent + 99) / 100, std::size_t{1});
  const auto before = listen(*first, kill_at, results, onlooker);
  if (before.exit_code != -SIGKILL && !before.end) {
    failed = before.exit_code;
    return died(before);
  }
  Kill kill{percent, first->pid(), results.done(), before.exit_code != -SIGKILL, 0, 0};

  auto second = Child::start(argv);
  if (!second) return second.error();
  const auto after = listen(*second, results.size() + 1, results, onlooker);
  if (!after.end) {
    failed = after.exit_code;
    return died(after);
  }
  kill.recovered = after.start.recovered;
  kill.open_micros = after.start.open_micros;
  return Story{kill, before.run_micros + after.run_micros, after.end->stuck, after.end->gave_up};
}

}  // namespace belay::demo
