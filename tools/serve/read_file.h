// Reads a whole file whose name an operator gave. Anything may be at that name.
#pragma once

#include <cstddef>
#include <string>

#include "belay/result.h"
#include "belay/types.h"

namespace belay::tool {

// The maximum size of a token file, a certificate or a configuration file.
inline constexpr std::size_t kSettingBytesMax = 1024 * 1024;
inline constexpr Millis kSettingPatience{5'000};

// A pipe is read to its end; each part of it must come within `patience`. Errors: not_found,
// storage (with the system's message; also a folder, or a file larger than `bytes_max`), timed_out.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max = kSettingBytesMax,
                              Millis patience = kSettingPatience);
// True if the file's group or all users may read the file.
bool others_may_read(const std::string& path);

}  // namespace belay::tool
