// The check of an embedding program's resolver, whatever this build can look up.
#pragma once

#include <string>

#include "belay/resolver.h"
#include "belay/result.h"

namespace belay::names {

// Errors: invalid_argument.
Result<> check_resolver(const std::string& word, const Resolver& resolver);

}  // namespace belay::names
