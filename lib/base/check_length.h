// The check of a text's length, with one wording.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string_view>

#include "base/invalid.h"
#include "belay/result.h"

namespace belay::base {

// Errors: invalid_argument, naming the field, its length and the limits.
inline Result<> check_length(std::string_view field, std::string_view text, std::size_t least,
                             std::size_t most) {
  if (text.size() >= least && text.size() <= most) return {};
  return invalid(
      fmt::format("the {} has {} bytes, it must be {} to {}", field, text.size(), least, most));
}

}  // namespace belay::base
