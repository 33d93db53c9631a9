// A run through a server, which is a third process: `belay serve` with a state file of its own, or
// any server with dtm's protocol that runs already on this machine.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "belay/result.h"
#include "branches.h"
#include "figures.h"
#include "served_loop.h"
#include "settings.h"
#include "workload.h"

namespace belay::bench {

struct ServedTarget {
  std::uint16_t port = 0;  // on 127.0.0.1
  int pid = 0;             // 0: unknown
};

struct ServedKind {
  std::string name;
  BranchService service;
  std::vector<std::string> serve_options;  // of `belay serve`
  std::string scheme;                      // of its address that is submitted to
  Result<ServedResults> (*load)(const Settings& settings, const ServedTarget& server,
                                const Branches& branches);
  // As in CalledKind.
  Result<OwnFloor> (*measure_floor)(const Branches& branches, const Settings& settings,
                                    double seconds);
};

Result<Figures> run_served(const Settings& settings, const ServedKind& kind);

}  // namespace belay::bench
