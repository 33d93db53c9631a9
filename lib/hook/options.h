// Checks HookOptions.
#pragma once

#include "belay/hooks.h"

namespace belay::hook {

// Errors: invalid_argument (a value out of its range), storage (a file that cannot be read).
// AllowList checks the patterns of targets.
Result<> check_options(const HookOptions& options);

}  // namespace belay::hook
