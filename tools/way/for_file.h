// A definition for an engine on a file, where names of handlers are as valid as URLs:
// the file may belong to an application.
#pragma once

#include <optional>

#include "serve/protocol/describe.h"
#include "way/way.h"

namespace belay::tool {

// Nothing, and why in `failure`: the mode needs a caller who goes on with it, or the definition is
// malformed.
std::optional<protocol::Described> describe_for_file(const Submission& submission,
                                                     std::optional<Failure>& failure);

}  // namespace belay::tool
