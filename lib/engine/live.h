// A transaction in memory, and what the engine keeps with it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/enter.h"
#include "belay/engine.h"
#include "core/transaction.h"

namespace belay::engine {

struct Waiter {
  base::Callback<Report> done;
  bool wants_final = false;
  // Monotonic ms: the waiter may be dropped from then on; 0: it waits without a limit.
  std::uint64_t until = 0;
  // The report that the waiter gets once `lsn` is on disk, whatever follows. Null: the waiter gets
  // the report of that later moment.
  std::unique_ptr<Report> as_of{};
  core::Lsn lsn = 0;
  bool joined = false;  // the transaction existed already
};

// The caller that drives a transaction and waits for the first phase of a branch.
struct BranchWaiter {
  std::uint32_t branch = 0;
  base::Callback<Outcome> done;
  // The outcome that was decided in the batch `lsn`: the caller gets it when that batch is on disk.
  std::optional<Outcome> outcome{};
  core::Lsn lsn = 0;
};

struct Live {
  core::Transaction transaction;
  // Both are null for most transactions.
  std::unique_ptr<std::vector<Waiter>> waiters;
  std::unique_ptr<std::vector<BranchWaiter>> branch_waiters;
  // The lsn of the oldest record that no row covers; 0: there is none. If it is set, the
  // transaction is in the dirty list.
  core::Lsn first_lsn = 0;
  core::Lsn last_lsn = 0;  // the lsn of the newest record
  Live* dirty_previous = nullptr;
  Live* dirty_next = nullptr;
  Live* gid_next = nullptr;  // the next one in its bucket of the table of gids
  std::uint32_t gid_hash = 0;
  std::uint32_t heap_index = ~0u;   // ~0: not in the due heap
  std::uint32_t calls_waiting = 0;  // calls that wait for a place in their lane
  std::uint32_t running_on = 0;     // handlers that still run after their call was given up
  std::uint32_t bytes = 0;          // as last computed by `weigh`
  std::uint32_t reserved = 0;       // reserved for the subscribers of a prepared message's topics
  bool has_row : 1 = false;
  bool stuck : 1 = false;
  bool awaits_resume : 1 = false;  // was recovered and has not gone on yet
  bool was_parked : 1 = false;     // may be in the index of parked transactions
  bool forgotten : 1 = false;      // its end was handled: it stays only for a call or a handler

  void add_waiter(Waiter waiter) {
    if (!waiters) waiters = std::make_unique<std::vector<Waiter>>();
    waiters->push_back(std::move(waiter));
  }
};

// The memory that a transaction and its waiters take.
inline std::size_t memory_of(const Live& live) {
  constexpr std::size_t kWaiterBytes = sizeof(Waiter) + sizeof(Report);
  const auto waiters = live.waiters ? live.waiters->size() : 0;
  const auto branch_waiters = live.branch_waiters ? live.branch_waiters->size() : 0;
  return sizeof(Live) - sizeof(core::Transaction) + core::memory_of(live.transaction) +
         (live.transaction.status == Status::prepared ? live.reserved : 0) +
         waiters * kWaiterBytes + branch_waiters * sizeof(BranchWaiter);
}

// The transactions that have log records not covered by a row, oldest first. The head of the list
// determines how far the log can be folded.
class DirtyList {
 public:
  Live* head() const { return head_; }
  bool empty() const { return head_ == nullptr; }

  // `lsn` is not less than any lsn in the list.
  void append(Live& live, core::Lsn lsn) {
    live.first_lsn = lsn;
    live.dirty_previous = tail_;
    live.dirty_next = nullptr;
    (tail_ == nullptr ? head_ : tail_->dirty_next) = &live;
    tail_ = &live;
  }
  void remove(Live& live) {
    if (live.first_lsn == 0) return;
    (live.dirty_previous == nullptr ? head_ : live.dirty_previous->dirty_next) = live.dirty_next;
    (live.dirty_next == nullptr ? tail_ : live.dirty_next->dirty_previous) = live.dirty_previous;
    live.dirty_previous = live.dirty_next = nullptr;
    live.first_lsn = 0;
  }

 private:
  Live* head_ = nullptr;
  Live* tail_ = nullptr;
};

}  // namespace belay::engine
