// The checks of an embedding program's resolvers and aliases, whatever this build can look up.
#pragma once

#include <string_view>

#include "belay/result.h"
#include "names/names.h"

namespace belay::names {

// What stands for the target's name in an alias.
inline constexpr std::string_view kNamePlace = "{}";

// Errors: invalid_argument, as Names::make says.
Result<> check_own(const Resolvers& resolvers, const Aliases& aliases);

}  // namespace belay::names
