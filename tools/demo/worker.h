// The demo's engine in a process of its own, which tells of every answer.
#pragma once

#include <optional>
#include <vector>

#include "belay/result.h"
#include "demo/child.h"
#include "demo/run.h"

namespace belay::demo {

// The worker's whole life: runs all transfers and tells of them. Ends the process at once if nobody
// listens any more.
Result<> run_worker(const Settings& settings, const std::vector<Transfer>& transfers);

// What the worker told: one of the three.
struct WorkerEvent {
  std::optional<RunStart> start;
  std::optional<Answer> answer;
  std::optional<RunEnd> end;
};
// The next; nothing when the worker ended or was killed.
std::optional<WorkerEvent> next_event(Child& worker);

}  // namespace belay::demo
