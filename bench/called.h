// Workloads of sagas whose branches are calls of a service in another process. Their floor is the
// same calls, made by a bare client.
#pragma once

#include <memory>
#include <string>

#include "belay/result.h"
#include "branches.h"
#include "settings.h"
#include "workload.h"

namespace belay::bench {

struct CalledKind {
  std::string name;
  BranchService service;
  // Calls the service after the transactions have ended; with as many calls at a time as belay had,
  // and as many for each transaction.
  Result<OwnFloor> (*measure_floor)(const Branches& branches, const Settings& settings,
                                    double seconds);
};

std::unique_ptr<Workload> make_called(CalledKind kind, const Settings& settings);

// The calls that belay had at a time.
std::uint32_t calls_at_a_time(const Settings& settings);

}  // namespace belay::bench
