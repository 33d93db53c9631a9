// The errors of `Engine::open` name fields of belay/options.h; an operator knows the options.
#pragma once

#include <optional>
#include <string>

namespace belay::tool {

// "with Limits::branches_max 0 and gid_bytes_max 1" → "with --branches-max 0 and --gid-bytes-max
// 1"; nothing if the text names no field.
std::optional<std::string> in_option_words(const std::string& detail);

}  // namespace belay::tool
