// Conducts the demo: one undisturbed run in this process, or two in processes of their own, the
// first of which is killed on the way.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "belay/result.h"
#include "demo/run.h"
#include "demo/worker.h"

namespace belay::demo {

struct Kill {
  unsigned percent = 0;
  pid_t pid = 0;
  std::size_t answered = 0;       // transfers that were final by then, as far as anybody had heard
  bool came_too_late = false;     // it had finished by itself
  std::uint64_t recovered = 0;    // unfinished ones that the second run found in the file
  std::uint64_t open_micros = 0;  // how long that run took to open it
};

struct Story {
  std::optional<Kill> kill;
  std::uint64_t run_micros = 0;  // of all runs
  std::uint64_t stuck = 0;
  bool gave_up = false;
};

// Told of what happens, on the calling thread.
struct Onlooker {
  std::function<void(std::size_t count)> done;  // so many transfers are final
  std::function<void(pid_t pid)> killed;
};

Result<Story> conduct(const Settings& settings, const std::vector<Transfer>& transfers,
                      Results& results, const Onlooker& onlooker);

// `argv` starts the worker. `failed` is its exit code if it ended by itself without finishing.
Result<Story> conduct_killed(unsigned percent, const std::vector<std::string>& argv,
                             Results& results, const Onlooker& onlooker, int& failed);

}  // namespace belay::demo
