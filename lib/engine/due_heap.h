// Finds the transaction that is due next. An index heap: each transaction is in the heap at most
// once and stores its own index.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/live.h"

namespace belay::engine {

class DueHeap {
 public:
  bool empty() const { return heap_.empty(); }
  // The transaction that is due first; the heap must not be empty.
  Live& top() const { return *heap_.front().live; }
  std::uint64_t top_at() const { return heap_.front().at; }
  // All entries, in no meaningful order; `place` is less than `size`.
  std::size_t size() const { return heap_.size(); }
  Live& live_at(std::size_t place) const { return *heap_[place].live; }
  std::uint64_t time_at(std::size_t place) const { return heap_[place].at; }

  // Adds or moves the transaction; at == 0 removes it.
  void set(Live& live, std::uint64_t at);

 private:
  struct Entry {
    std::uint64_t at;
    Live* live;
  };

  void put(std::uint32_t index, Entry entry);
  void rise(std::uint32_t index);
  void sink(std::uint32_t index);

  std::vector<Entry> heap_;
};

}  // namespace belay::engine
