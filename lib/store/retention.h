// Deletes finished transactions whose time is over, from the low end of the ids, a bounded step at
// a time.
//
// An index by finish time would cost every transaction; ids already grow with time. So a cursor for
// each outcome goes up the ids. What it leaves behind it (unfinished, or finished too lately) is
// remembered when it finishes, and not looked for again.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>

#include "core/transaction.h"
#include "ports/store.h"
#include "store/sqlite.h"

namespace belay::store {

class Retention {
 public:
  static Result<std::unique_ptr<Retention>> prepare(sqlite3* db);

  // A row of a finished transaction was written.
  void finished(const core::Transaction& transaction);
  // One step, within the caller's commit. True: more are due.
  Result<bool> step(const ports::Store::Retention& retention);

 private:
  struct Late {
    core::TransactionId id;
    std::uint64_t finished_at;
  };
  struct Outcome {
    Statement scan;
    core::TransactionId cursor = 0;
    bool start_again = false;
    std::deque<Late> late;  // behind the cursor, in about the order they finished
  };

  Result<bool> step(Outcome& outcome, Status status, std::uint64_t before);
  Result<bool> scan(Outcome& outcome, Status status, std::uint64_t before, std::size_t room);
  Result<std::size_t> delete_late(Outcome& outcome, std::uint64_t before);
  Result<> erase(core::TransactionId id);
  void remember(Outcome& outcome, const Late& late);

  Statement erase_;
  Outcome succeed_;
  Outcome failed_;
};

// Gives free pages back to the file system, a bounded step within the caller's commit. True: there
// are more than the store wants to keep for its own use.
Result<bool> release_free_pages(Database& database);

}  // namespace belay::store
