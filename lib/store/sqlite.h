// SQLite in C++: connections and statements that close themselves, and failures as `Error` with
// SQLite's message. A connection and its statements must be used by one thread at a time.
#pragma once

#include "sqlite/sqlite.h"

namespace belay::store {

using sqlite::Database;
using sqlite::ResetAtEnd;
using sqlite::sqlite_error;
using sqlite::Statement;

}  // namespace belay::store
