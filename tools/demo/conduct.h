// Conducts the demo: one undisturbed run in this process, or two in worker processes, the first of
// which is killed on the way.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "belay/result.h"
#include "demo/run.h"

namespace belay::demo {

struct EngineKill {
  unsigned percent = 0;
  pid_t pid = 0;
  std::size_t answered = 0;       // transfers that were final by then, as far as anybody had heard
  bool came_too_late = false;     // it had finished by itself
  std::uint64_t recovered = 0;    // unfinished ones that the second run found in the file
  std::uint64_t open_micros = 0;  // how long that run took to open it
};

// All runs together.
struct RunTotals {
  std::optional<EngineKill> kill;
  std::uint64_t run_micros = 0;
  std::uint64_t stuck = 0;
  bool gave_up = false;
};

// Told of what happens, on the calling thread.
struct ProgressWatcher {
  std::function<void(std::size_t count)> done;  // so many transfers are final
  std::function<void(pid_t pid)> killed;
};

Result<RunTotals> conduct(const RunSettings& settings, const std::vector<Transfer>& transfers,
                          Results& results, const ProgressWatcher& watcher);

// `worker` is the whole life of a worker's process, around `run_worker`. `failed` is its exit code
// if it ended by itself without finishing.
Result<RunTotals> conduct_killed(unsigned percent, const std::function<int()>& worker,
                                 Results& results, const ProgressWatcher& watcher, int& failed);
// Runs all transfers and tells of them. Ends the process at once if nobody listens any more.
Result<> run_worker(const RunSettings& settings, const std::vector<Transfer>& transfers);

}  // namespace belay::demo
