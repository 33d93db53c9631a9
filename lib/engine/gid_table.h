// Finds live transactions by gid. A hash table whose links are in the transactions themselves: a
// node for each of them, as std::unordered_set has it, would take 32 bytes more. As there, the
// table doubles at once when it is full, and keeps its size when it empties.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "engine/live.h"

namespace belay::engine {

class GidTable {
 public:
  std::size_t size() const { return size_; }
  Live* find(std::string_view gid) const {
    if (buckets_.empty()) return nullptr;
    const auto hash = hash_of(gid);
    auto* live = buckets_[place_of(hash)];
    while (live != nullptr && (live->gid_hash != hash || live->transaction.gid() != gid))
      live = live->gid_next;
    return live;
  }
  // No other transaction in the table has its gid.
  void insert(Live& live) {
    if (size_ == buckets_.size()) grow();
    live.gid_hash = hash_of(live.transaction.gid());
    link(live);
    ++size_;
  }
  // The transaction must be in the table.
  void erase(Live& live) {
    auto* link = &buckets_[place_of(live.gid_hash)];
    while (*link != &live) link = &(*link)->gid_next;
    *link = live.gid_next;
    --size_;
  }
  // In no meaningful order. `visit` may delete the transaction if the table is not used any more.
  template <class Visit>
  void for_each(Visit visit) const {
    for (auto* live : buckets_) {
      while (live != nullptr) {
        auto* const next = live->gid_next;
        visit(*live);
        live = next;
      }
    }
  }

 private:
  static constexpr std::size_t kBucketsAtFirst = 64;  // a power of two, as every later number

  static std::uint32_t hash_of(std::string_view gid) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>()(gid));
  }
  std::size_t place_of(std::uint32_t hash) const { return hash & (buckets_.size() - 1); }
  void link(Live& live) {
    auto& first = buckets_[place_of(live.gid_hash)];
    live.gid_next = first;
    first = &live;
  }
  void grow() {
    std::vector<Live*> larger(buckets_.empty() ? kBucketsAtFirst : buckets_.size() * 2);
    buckets_.swap(larger);
    for (auto* live : larger) {
      while (live != nullptr) {
        auto* const next = live->gid_next;
        link(*live);
        live = next;
      }
    }
  }

  std::vector<Live*> buckets_;
  std::size_t size_ = 0;
};

}  // namespace belay::engine
