// The error for an argument that cannot be accepted.
#pragma once

#include <string>
#include <utility>

#include "belay/error.h"

namespace belay::base {

// `detail` says what is wrong with the argument, and what would be right.
inline Error invalid(std::string detail) {
  return {ErrorCode::invalid_argument, std::move(detail)};
}

}  // namespace belay::base
