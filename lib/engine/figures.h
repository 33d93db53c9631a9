// The engine's counters, for Engine::counters, and the cost of its last commits.
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
  Counters counters;  // the counters that are counted one by one

  void count(const Outcome& outcome);
  void count_end(Status status);
  // A batch with this many records is on disk. Times are monotonic, in ms, here and below.
  void count_commit(const ports::Batch& batch, std::uint32_t records,
                    const ports::StoreFigures& figures, std::uint64_t now);
  // The wake-up that is now handled was due `lag` ms ago.
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
