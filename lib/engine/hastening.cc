#include "engine/hastening.h"

#include <algorithm>
#include <utility>

#include "core/apply.h"
#include "engine/limits.h"

namespace belay::engine {

void HastenQueue::add(HastenRequest request, std::uint64_t now, const DueHeap& due) {
  queue_.push_back({.later_than_at = now + request.later_than,
                    .limit = request.limit,
                    .places_left = due.size(),
                    .woken = {},
                    .done = std::move(request.done)});
}

// Goes from the back of the heap to its front: transactions that are armed meanwhile are added at
// the back and do not belong to this request.
std::vector<Live*> HastenQueue::next_slice(const DueHeap& due) {
  auto& work = queue_.front();
  auto place = std::min(work.places_left, due.size());
  const auto until = place - std::min(place, kHastenLookedAt);
  std::vector<Live*> found;
  std::size_t branches = 0;  // each of them may be started by this slice
  for (; place > until && found.size() < kHastenedPerTurn && branches < kHastenedBranches &&
         !work.woken.more;
       --place) {
    auto& live = due.live_at(place - 1);
    if (due.time_at(place - 1) <= work.later_than_at) continue;
    if (core::next_hastened(live.transaction) == 0) continue;
    if (work.woken.count == work.limit) {
      work.woken.more = true;
    } else {
      ++work.woken.count;
      branches += live.transaction.branches.size();
      found.push_back(&live);
    }
  }
  work.places_left = place;
  return found;
}

void HastenQueue::end_slice() {
  const auto& work = queue_.front();
  if (work.places_left != 0 && !work.woken.more) return;
  const auto ended = std::move(queue_.front());
  queue_.pop_front();
  ended.done(ended.woken);
}

std::vector<base::Callback<Woken>> HastenQueue::take_all() {
  std::vector<base::Callback<Woken>> all;
  for (auto& work : std::exchange(queue_, {})) all.push_back(std::move(work.done));
  return all;
}

}  // namespace belay::engine
