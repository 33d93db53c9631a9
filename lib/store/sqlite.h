// The names of lib/sqlite, as all of the store says them.
#pragma once

#include "sqlite/sqlite.h"

namespace belay::store {

using sqlite::Database;
using sqlite::ResetAtEnd;
using sqlite::sqlite_error;
using sqlite::Statement;

}  // namespace belay::store
