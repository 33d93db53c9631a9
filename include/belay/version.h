// The version, and the policy for it: before 1.0 a minor version may change the API, a patch
// version never does. The state file's schema has a number of its own, and every version reads the
// older schemas.
#pragma once

#include <string_view>

#include "belay/export.h"

#define BELAY_VERSION_MAJOR 0
#define BELAY_VERSION_MINOR 1
#define BELAY_VERSION_PATCH 0

namespace belay {

// "0.1.0", the version of the library that is linked. It may differ from the header's macros.
BELAY_EXPORT std::string_view version() noexcept;

}  // namespace belay
