// Requests to hasten all waiting transactions. They are processed one after the other, each in
// slices, so that no turn looks at all transactions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "engine/due_heap.h"
#include "engine/requests.h"

namespace belay::engine {

class HastenQueue {
 public:
  // `now`: the engine's time.
  void add(HastenRequest request, std::uint64_t now, const DueHeap& due);
  bool empty() const { return queue_.empty(); }
  // The next slice of the first request: the transactions to hasten. The queue must not be empty.
  std::vector<Live*> next_slice(const DueHeap& due);
  // To be called when the transactions of the slice are hastened: answers the first request if that
  // was its last slice.
  void end_slice();
  // The callbacks of all remaining requests, which are to be refused.
  std::vector<base::Callback<Woken>> take_all();

 private:
  struct Work {
    std::uint64_t later_than_at = 0;  // in the engine's time
    std::uint32_t limit = 0;
    std::size_t places_left = 0;  // places of the heap still to be looked at
    Woken woken;
    base::Callback<Woken> done;
  };

  std::deque<Work> queue_;
};

}  // namespace belay::engine
