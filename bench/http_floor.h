// The floor of workload `http`: the same calls to the same service, made by a bare libcurl loop
// (its multi interface on epoll) that stores no decisions.
#pragma once

#include "belay/result.h"
#include "http_branches.h"
#include "settings.h"
#include "workload.h"

namespace belay::bench {

// Calls the branches' service after its transactions have ended; with as many calls at a time as
// belay had, and as many for each transaction.
Result<OwnFloor> measure_http_floor(const HttpBranches& branches, const Settings& settings,
                                    double seconds);

}  // namespace belay::bench
