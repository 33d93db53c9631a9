#include "engine/due_heap.h"

#include <algorithm>

namespace belay::engine {
namespace {

constexpr std::uint32_t kNoPlace = ~0u;
// A heap with four children a node has half the levels of a binary heap: fewer cache misses with a
// million entries.
constexpr std::uint32_t kArity = 4;

}  // namespace

void DueHeap::put(std::uint32_t index, Entry entry) {
  entry.live->heap_index = index;
  heap_[index] = entry;
}

void DueHeap::rise(std::uint32_t index) {
  const auto entry = heap_[index];
  while (index > 0) {
    const auto parent = (index - 1) / kArity;
    if (heap_[parent].at <= entry.at) break;
    put(index, heap_[parent]);
    index = parent;
  }
  put(index, entry);
}

void DueHeap::sink(std::uint32_t index) {
  const auto entry = heap_[index];
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    const auto first = index * kArity + 1;
    if (first >= size) break;
    auto least = first;
    for (auto child = first + 1; child < std::min(first + kArity, size); ++child) {
      if (heap_[child].at < heap_[least].at) least = child;
    }
    if (entry.at <= heap_[least].at) break;
    put(index, heap_[least]);
    index = least;
  }
  put(index, entry);
}

void DueHeap::set(Live& live, std::uint64_t at) {
  const auto index = live.heap_index;
  if (at == 0) {
    if (index == kNoPlace) return;
    const auto last = heap_.back();
    heap_.pop_back();
    live.heap_index = kNoPlace;
    if (last.live == &live) return;
    put(index, last);
    rise(index);
    sink(last.live->heap_index);
    return;
  }
  if (index == kNoPlace) {
    heap_.push_back({at, &live});
    rise(static_cast<std::uint32_t>(heap_.size() - 1));
    return;
  }
  heap_[index].at = at;
  rise(index);
  sink(live.heap_index);
}

}  // namespace belay::engine
