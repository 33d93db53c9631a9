// An engine's figures as JSON: all members of `Counters`, by their names.
#pragma once

#include "belay/engine.h"
#include "view/rows.h"

namespace belay::tool {

Json json_of(const Counters& counters);

}  // namespace belay::tool
