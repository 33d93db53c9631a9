// What a caller gave that cannot be taken.
#pragma once

#include <string>
#include <utility>

#include "belay/error.h"

namespace belay::base {

// `detail` says what is wrong with it, and what is right.
inline Error invalid(std::string detail) {
  return {ErrorCode::invalid_argument, std::move(detail)};
}

}  // namespace belay::base
