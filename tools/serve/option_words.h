// The errors of `Engine::open` name fields of belay/options.h; an operator knows the options.
#pragma once

#include <optional>
#include <string>

#include "belay/error.h"

namespace belay::tool {

// "with Limits::branches_max 0 and gid_bytes_max 1" → "with --branches-max 0 and --gid-bytes-max
// 1"; nothing if the error is not about a field.
std::optional<std::string> in_option_words(const Error& error);

}  // namespace belay::tool
