// What this process takes of the machine, for the metrics.
#pragma once

#include "serve/protocol/metrics.h"

namespace belay::tool {

protocol::ProcessFigures process_figures();

}  // namespace belay::tool
