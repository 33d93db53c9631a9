// The keys of a definition. Servers ignore those that they do not know; in a file, such a key is a
// mistake that would change what is done.
#pragma once

#include <optional>
#include <string>

#include "serve/protocol/api_result.h"

namespace belay::tool {

// What is wrong with the first key that nobody reads, and where it is; nothing if there is none.
std::optional<std::string> unknown_key(const protocol::Json& definition);

}  // namespace belay::tool
