// What the engine counts, for Engine::counters, and what its last commits cost.
#pragma once

#include <cstdint>

#include "belay/engine.h"
#include "core/transaction.h"
#include "engine/commit_cost.h"
#include "engine/recent_max.h"
#include "ports/store.h"

namespace belay::engine {

class Figures {
 public:
  Counters counters;  // what is counted one by one

  void count(const Outcome& outcome);
  void count_end(Status status);
  // A batch of so many records is on disk. Times are monotonic, ms, here and below.
  void count_commit(const ports::Batch& batch, std::uint32_t records,
                    const ports::StoreFigures& figures, std::uint64_t now);
  // What is due was to be done so long ago, ms.
  void note_lag(std::uint64_t lag, std::uint64_t now) { due_lag_.add(lag, now); }
  // Brings the counters' recent maxima up to date.
  void update(std::uint64_t now);

  const CommitCost& commit_cost() const { return commit_cost_; }

 private:
  CommitCost commit_cost_;
  RecentMax commit_us_;
  RecentMax batch_records_;
  RecentMax due_lag_;
};

}  // namespace belay::engine
