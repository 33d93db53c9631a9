// What the system said of a file beside SQLite.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "belay/error.h"

namespace belay::store {

// "cannot DOING PATH: the words for errno". A disk or a quota that is full is `no_space`, all else
// `storage`.
inline Error file_error(std::string_view doing, const std::string& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return {full ? ErrorCode::no_space : ErrorCode::storage,
          fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(errno))};
}

}  // namespace belay::store
