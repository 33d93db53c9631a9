// The floor of workload `http`: the same calls to the same service, made by a bare libcurl loop
// (its multi interface on epoll) that stores no decisions.
#pragma once

#include "belay/result.h"
#include "branches.h"
#include "settings.h"
#include "workload.h"

namespace belay::bench {

Result<OwnFloor> measure_http_floor(const Branches& branches, const Settings& settings,
                                    double seconds);

}  // namespace belay::bench
