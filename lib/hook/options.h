// Checks HookOptions.
#pragma once

#include "belay/hooks.h"

namespace belay::hook {

// Errors: invalid_argument (a value out of its range), storage (a file that cannot be read). The
// patterns of targets are AllowList's.
Result<> check_options(const HookOptions& options);

}  // namespace belay::hook
