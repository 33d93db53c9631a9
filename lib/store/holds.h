// The table of held targets. A change is written in the same commit as the log row of its batch.
#pragma once

#include <vector>

#include "belay/hold.h"
#include "belay/result.h"
#include "ports/store.h"
#include "sqlite/sqlite.h"

namespace belay::store {

class HoldWriter {
 public:
  static Result<HoldWriter> prepare(sqlite3* db);
  Result<> write(const ports::HoldChange& change);

 private:
  sqlite::Statement upsert_;
  sqlite::Statement erase_;
};

// Ordered by target.
Result<std::vector<Hold>> read_holds(sqlite::Database& database);

}  // namespace belay::store
