// What the system says of a file by its name.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace belay::base {

// Its size; 0 if there is none, or nothing can be said of it.
inline std::uint64_t file_bytes(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace belay::base
