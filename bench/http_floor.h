// The floor of workload `http`: the same calls to the same service by a bare libcurl loop (its
// multi interface on epoll), with nobody who remembers what was decided.
#pragma once

#include "belay/result.h"
#include "http_branches.h"
#include "settings.h"
#include "workload.h"

namespace belay::bench {

// Made to the branches' service when their transactions are through; as many at a time as belay
// had, of as many calls a transaction.
Result<OwnFloor> measure_http_floor(const HttpBranches& branches, const Settings& settings,
                                    double seconds);

}  // namespace belay::bench
