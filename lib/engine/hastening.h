// Requests to hasten all that wait: one after the other, each in slices, so that no turn looks at
// every transaction there is.
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
  // `now`: of the engine's time.
  void add(HastenRequest request, std::uint64_t now, const DueHeap& due);
  bool empty() const { return queue_.empty(); }
  // The next slice of the first one: those that it is to hasten. There must be one.
  std::vector<Live*> next_slice(const DueHeap& due);
  // To be called once those are hastened: tells the first one if that was all of it.
  void end_slice();
  // All that are left, to be refused.
  std::vector<base::Callback<Woken>> take_all();

 private:
  struct Work {
    std::uint64_t later_than_at = 0;  // on the engine's scale
    std::uint32_t limit = 0;
    std::size_t places_left = 0;  // of the heap, still to be looked at
    Woken woken;
    base::Callback<Woken> done;
  };

  std::deque<Work> queue_;
};

}  // namespace belay::engine
