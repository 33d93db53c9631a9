// The transactions in memory: all unfinished ones, and finished ones until their row is on disk.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mark.h"
#include "core/transaction.h"
#include "engine/gid_table.h"
#include "engine/live.h"

namespace belay::engine {

// Owns the live transactions and finds them by gid.
class LiveSet {
 public:
  LiveSet() = default;
  LiveSet(const LiveSet&) = delete;
  LiveSet& operator=(const LiveSet&) = delete;
  ~LiveSet() {
    by_gid_.for_each([](Live& live) { delete &live; });
  }

  Live* find(std::string_view gid) const { return by_gid_.find(gid); }
  Live& insert(core::Transaction transaction) {
    auto* live = new Live;
    live->transaction = std::move(transaction);
    by_gid_.insert(*live);
    return *live;
  }
  void erase(Live& live) {
    bytes_ -= live.bytes;
    by_gid_.erase(live);
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
  // In no meaningful order; `visit` changes no gid and erases none.
  template <class Visit>
  void for_each(Visit visit) const {
    by_gid_.for_each(visit);
  }

 private:
  GidTable by_gid_;
  std::vector<Live*> left_;
  std::size_t bytes_ = 0;
};

}  // namespace belay::engine
