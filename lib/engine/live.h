// The transactions in memory: all unfinished ones, and finished ones until their row is on disk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/enter.h"
#include "base/mark.h"
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
  std::vector<Waiter> waiters;
  std::unique_ptr<std::vector<BranchWaiter>> branch_waiters;  // null for most transactions
  // The lsn of the oldest record that no row covers; 0: there is none. If it is set, the
  // transaction is in the dirty list.
  core::Lsn first_lsn = 0;
  core::Lsn last_lsn = 0;  // the lsn of the newest record
  Live* dirty_previous = nullptr;
  Live* dirty_next = nullptr;
  std::uint64_t due_at = 0;         // its time in the due heap
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
};

// The memory that a transaction and its waiters take.
inline std::size_t memory_of(const Live& live) {
  constexpr std::size_t kWaiterBytes = sizeof(Waiter) + sizeof(Report);
  const auto branch_waiters = live.branch_waiters ? live.branch_waiters->size() : 0;
  return sizeof(Live) - sizeof(core::Transaction) + core::memory_of(live.transaction) +
         (live.transaction.status == Status::prepared ? live.reserved : 0) +
         live.waiters.size() * kWaiterBytes + branch_waiters * sizeof(BranchWaiter);
}

// Owns the live transactions and finds them by gid.
class LiveSet {
 public:
  LiveSet() = default;
  LiveSet(const LiveSet&) = delete;
  LiveSet& operator=(const LiveSet&) = delete;
  ~LiveSet() {
    for (Live* live : by_gid_) delete live;
  }

  Live* find(std::string_view gid) const {
    const auto found = by_gid_.find(gid);
    return found == by_gid_.end() ? nullptr : *found;
  }
  Live& insert(core::Transaction transaction) {
    auto* live = new Live;
    live->transaction = std::move(transaction);
    by_gid_.insert(live);
    return *live;
  }
  void erase(Live& live) {
    bytes_ -= live.bytes;
    by_gid_.erase(&live);
    delete &live;
  }
  // The transaction is erased by the next `drop_left`: functions that hold a reference may still
  // use it.
  void leave(Live& live) { left_.push_back(&live); }
  void drop_left() {
    if (left_.empty()) return;
    BELAY_MARK(ended_before_callback);
    for (auto* live : std::exchange(left_, {})) erase(*live);
  }
  // To be called whenever the transaction has grown or shrunk.
  void weigh(Live& live) {
    bytes_ -= live.bytes;
    live.bytes = static_cast<std::uint32_t>(
        std::min<std::size_t>(memory_of(live), std::numeric_limits<std::uint32_t>::max()));
    bytes_ += live.bytes;
  }
  std::size_t bytes() const { return bytes_; }
  std::size_t size() const { return by_gid_.size(); }
  auto begin() const { return by_gid_.begin(); }
  auto end() const { return by_gid_.end(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view gid) const {
      return std::hash<std::string_view>()(gid);
    }
    std::size_t operator()(const Live* live) const { return (*this)(live->transaction.gid()); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const Live* a, const Live* b) const {
      return a->transaction.gid() == b->transaction.gid();
    }
    bool operator()(const Live* a, std::string_view gid) const {
      return a->transaction.gid() == gid;
    }
    bool operator()(std::string_view gid, const Live* a) const {
      return a->transaction.gid() == gid;
    }
  };

  std::unordered_set<Live*, Hash, Equal> by_gid_;
  std::vector<Live*> left_;
  std::size_t bytes_ = 0;
};

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
