// A state file and its write-ahead log as they stand on disk, before SQLite is let near them: it
// would take a log without a file, or one whose beginning is damaged, for nothing and delete it.
#pragma once

#include <string>

#include "belay/result.h"

namespace belay::store {

// Reads a few bytes and changes nothing. True: there is a file with something in it. Errors:
// corrupt, naming both files and saying what to do (the log holds batches and its file is gone or
// empty, the file is one that never had it, or its beginning cannot be read), storage.
Result<bool> look_first(const std::string& path, const std::string& vfs);

}  // namespace belay::store
