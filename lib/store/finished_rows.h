// Writes the row of a finished transaction that comes with its columns, out of another state file.
#pragma once

#include "core/transaction.h"
#include "sqlite/sqlite.h"
#include "store/transfer_lines.h"

namespace belay::store {

class FinishedRows {
 public:
  static Result<FinishedRows> prepare(sqlite3* db);
  // The gid must be new.
  Result<> write(const transfer::RowLine& row, core::TransactionId id, core::Lsn lsn);

 private:
  sqlite::Statement insert_;
};

}  // namespace belay::store
