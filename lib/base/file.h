// Asks the system about a file by its name.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace belay::base {

// The size of the file; 0 if the file does not exist or the system cannot say its size.
inline std::uint64_t file_bytes(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace belay::base
