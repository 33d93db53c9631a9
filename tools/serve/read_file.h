// A file that an operator named, read whole: whatever the name turns out to be.
#pragma once

#include <cstddef>
#include <string>

#include "belay/result.h"
#include "belay/types.h"

namespace belay::tool {

// What a token file, a certificate or a configuration may have.
inline constexpr std::size_t kSettingBytesMax = 1024 * 1024;
inline constexpr Millis kSettingPatience{5'000};

// A pipe is read to its end, each part of which comes within `patience`. Errors: not_found, storage
// (with the system's words; a folder, or larger than `bytes_max`), timed_out.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max = kSettingBytesMax,
                              Millis patience = kSettingPatience);

}  // namespace belay::tool
