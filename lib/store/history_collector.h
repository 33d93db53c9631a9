// Deletes finished transactions whose retention has ended, beginning at the lowest ids, in steps of
// limited size.
//
// An index by finish time would slow down every transaction, but ids already grow with time. So
// there is a cursor for each outcome that moves up the ids. Transactions behind the cursor that are
// not yet expired (unfinished, or finished too recently) are remembered when they finish. If there
// are too many, those that expire first are remembered; when the time of the others comes, the
// cursor starts again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "core/transaction.h"
#include "ports/store.h"
#include "sqlite/sqlite.h"

namespace belay::store {

inline constexpr std::size_t kLateMax = 262'144;  // for each outcome: 4 MB of memory

class HistoryCollector {
 public:
  static Result<std::unique_ptr<HistoryCollector>> prepare(sqlite3* db,
                                                           std::size_t late_max = kLateMax);

  // A row of a finished transaction was written.
  void finished(const core::Transaction& transaction);
  // One step, within the caller's commit. True: more rows are due.
  Result<bool> step(const ports::Store::Expiry& expiry);

 private:
  struct Late {
    core::TransactionId id;
    std::uint64_t finished_at;
  };
  struct Outcome {
    sqlite::Statement scan;
    core::TransactionId cursor = 0;
    // The transactions behind the cursor that finished before `complete_before`; a heap with the
    // oldest on top.
    std::vector<Late> late;
    std::uint64_t complete_before = std::numeric_limits<std::uint64_t>::max();
  };

  Result<bool> step(Outcome& outcome, Status status, std::uint64_t before);
  Result<bool> scan(Outcome& outcome, Status status, std::uint64_t before, std::size_t room);
  Result<std::size_t> delete_late(Outcome& outcome, std::uint64_t before);
  Result<> erase(core::TransactionId id);
  void remember(Outcome& outcome, const Late& late) const;
  static void forget_newest(Outcome& outcome);
  static void start_again(Outcome& outcome);

  std::size_t late_max_ = kLateMax;
  bool is_thorough_ = false;
  sqlite::Statement erase_;
  Outcome succeed_;
  Outcome failed_;
};

// Gives free pages back to the file system: one step of limited size, within the caller's commit.
// True: the step gave some back, and there are still more free pages than the store keeps for its
// own use.
Result<bool> release_free_pages(sqlite::Database& database);

}  // namespace belay::store
