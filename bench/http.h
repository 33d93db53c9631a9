// The service whose branches workload `http` calls, by belay itself and through `belay serve`.
#pragma once

#include "called.h"

namespace belay::bench {

BranchService http_service();

}  // namespace belay::bench
