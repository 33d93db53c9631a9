// The options by which `belay list` and `belay stuck` choose transactions.
#pragma once

#include "belay/reader.h"
#include "command.h"

namespace belay::tool {

// Adds --status, --mode, --older-than, --newer-than, --handler and --gid-prefix. `filter` must live
// as long as the command.
void add_filter_options(CLI::App* command, Filter& filter);

}  // namespace belay::tool
