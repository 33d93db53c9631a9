// The options by which an operator chooses stuck transactions.
#pragma once

#include "command.h"
#include "view/stuck.h"

namespace belay::tool {

// Adds the options of `add_filter_options` and --host. `choice` must live as long as the command.
void add_choice_options(CLI::App* command, StuckChoice& choice);

}  // namespace belay::tool
