#include "demo/conduct.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <sstream>

#include "base/mutex.h"
#include "demo/child.h"

namespace belay::demo {
namespace {

constexpr std::size_t kErrorBytesMax = 500;

// What one worker told until it ended or was killed, in these lines: "start OPEN RECOVERED",
// "answer INDEX VERDICT REPEATED MICROS ERROR" and "end RUN STUCK GAVE_UP".
struct WorkerReport {
  RunStart start;
  std::optional<RunEnd> end;
  std::chrono::steady_clock::time_point started_at{};
  std::uint64_t run_micros = 0;
  int exit_code = 0;
};

void tell_answer(const TransferAnswer& answer) {
  auto error = answer.error.substr(0, kErrorBytesMax);
  std::replace(error.begin(), error.end(), '\n', ' ');
  tell(fmt::format("answer {} {} {:d} {} {}\n", answer.index, static_cast<unsigned>(answer.verdict),
                   answer.repeated, answer.micros, error));
}

void read_line(const std::string& line, WorkerReport& report, Results& results) {
  std::istringstream words(line);
  std::string kind;
  words >> kind;
  if (kind == "start") {
    words >> report.start.open_micros >> report.start.recovered;
    report.started_at = std::chrono::steady_clock::now();
  } else if (kind == "answer") {
    TransferAnswer answer;
    unsigned verdict = 0;
    words >> answer.index >> verdict >> answer.repeated >> answer.micros;
    std::getline(words >> std::ws, answer.error);
    answer.verdict = static_cast<Verdict>(verdict);
    results.add(answer);
  } else if (kind == "end") {
    auto& end = report.end.emplace();
    words >> end.run_micros >> end.stuck >> end.gave_up;
  }
}

// Kills the worker when `kill_at` transfers are answered. What it told before counts, whenever it
// is read.
WorkerReport listen(Child& worker, std::size_t kill_at, Results& results,
                    const ProgressWatcher& watcher) {
  WorkerReport report;
  bool killed = false;
  while (const auto line = worker.next_line()) {
    read_line(*line, report, results);
    if (!killed && results.done() >= kill_at) {
      worker.kill();
      killed = true;
      report.run_micros = micros_since(report.started_at);
      watcher.killed(worker.pid());
    }
    watcher.done(results.done());
  }
  if (report.end) report.run_micros = report.end->run_micros;
  report.exit_code = worker.wait();
  return report;
}

Error worker_died(int code) {
  return {ErrorCode::closed, code < 0
                                 ? fmt::format("the engine's process was ended by signal {}", -code)
                                 : fmt::format("the engine's process ended with code {}", code)};
}

}  // namespace

Result<RunTotals> conduct(const RunSettings& settings, const std::vector<Transfer>& transfers,
                          Results& results, const ProgressWatcher& watcher) {
  base::Mutex mutex;
  const auto answered = [&](const TransferAnswer& answer) {
    const base::Lock lock(mutex);
    results.add(answer);
  };
  const auto tick = [&] {
    base::Lock lock(mutex);
    const auto done = results.done();
    lock.unlock();
    watcher.done(done);
  };
  const auto end = run_transfers(settings, transfers, {[](const RunStart&) {}, answered, tick});
  if (!end) return end.error();
  return RunTotals{std::nullopt, end->run_micros, end->stuck, end->gave_up};
}

Result<RunTotals> conduct_killed(unsigned percent, const std::function<int()>& worker,
                                 Results& results, const ProgressWatcher& watcher, int& failed) {
  const auto first = Child::start(worker);
  if (!first) return first.error();
  const auto kill_at = std::max((results.size() * percent + 99) / 100, std::size_t{1});
  const auto before = listen(**first, kill_at, results, watcher);
  const bool was_killed = before.exit_code == -SIGKILL;
  if (!was_killed && !before.end) {
    failed = before.exit_code;
    return worker_died(failed);
  }
  const auto answered = results.done();

  const auto second = Child::start(worker);
  if (!second) return second.error();
  const auto after = listen(**second, results.size() + 1, results, watcher);
  if (!after.end) {
    failed = after.exit_code;
    return worker_died(failed);
  }
  const EngineKill kill{percent,     (*first)->pid(),       answered,
                        !was_killed, after.start.recovered, after.start.open_micros};
  return RunTotals{kill, before.run_micros + after.run_micros, after.end->stuck,
                   after.end->gave_up};
}

Result<> run_worker(const RunSettings& settings, const std::vector<Transfer>& transfers) {
  const auto started = [](const RunStart& start) {
    tell(fmt::format("start {} {}\n", start.open_micros, start.recovered));
  };
  const auto end = run_transfers(settings, transfers, {started, &tell_answer, [] {}});
  if (!end) return end.error();
  tell(fmt::format("end {} {} {:d}\n", end->run_micros, end->stuck, end->gave_up));
  return {};
}

}  // namespace belay::demo
