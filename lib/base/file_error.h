// Makes an error from what the system reported about a file that is used without SQLite.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include "belay/error.h"

namespace belay::base {

// The text is "cannot DOING PATH: the message for errno". The code is `no_space` for a full disk or
// quota, and otherwise `storage`.
inline Error file_error(std::string_view doing, const std::string& path) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return {full ? ErrorCode::no_space : ErrorCode::storage,
          fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(errno))};
}

}  // namespace belay::base
