// Examines a state file and its write-ahead log on disk before SQLite opens them. SQLite would take
// a log without its file, or a log with a damaged beginning, for empty and delete it.
#pragma once

#include <string>

#include "belay/result.h"

namespace belay::store {

// Reads a few bytes and changes nothing. True: the file exists and is not empty. Errors: corrupt,
// naming both files and what to do (the log holds batches, but its file is missing or empty, or is
// a file to which the log does not belong, or the log's beginning cannot be read); storage.
Result<bool> look_first(const std::string& path, const std::string& vfs);

}  // namespace belay::store
