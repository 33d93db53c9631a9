// What an operator may say of any transaction: that it ends here, or that it waits no longer.
#include <algorithm>
#include <utility>

#include "engine/coordinator.h"
#include "engine/label.h"
#include "engine/limits.h"

namespace belay::engine {

// One that was read back is not resumed first: nobody is to be called. One that was stopped in its
// former life ends by being resumed.
void Coordinator::stop(Live& live, WordRequest& request) {
  if (const auto may = core::may_stop(live.transaction); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  if (live.transaction.stopped) {
    if (const auto may = may_wait(live, true); !may)
      return refuse(request.done, may.error().code, may.error().detail);
    resume(live);
  } else {
    stop_resuming(live);
    decide(live, core::WordStop{request.reason});
    log_.info("{} is stopped: {}", Label{live.transaction}, core::reason_of(live.transaction));
  }
  add_waiter(live, {std::move(request.done), true, 0});
}

void Coordinator::hasten(Live& live, WordRequest& request) {
  resume(live);
  if (const auto may = core::may_stop(live.transaction); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  decide_word(live, core::Hastened{}, {std::move(request.done), false, 0});
}

void Coordinator::take(HastenRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, error->code, error->detail);
  hastening_.push_back({.later_than_at = time_.now() + request.later_than,
                        .limit = request.limit,
                        .places_left = due_.size(),
                        .woken = {},
                        .done = std::move(request.done)});
}

// One after the other, each in slices.
void Coordinator::hasten_some() {
  if (hastening_.empty() || phase_ != Phase::running) return;
  if (!hasten_slice(hastening_.front())) return;
  const auto ended = std::move(hastening_.front());
  hastening_.pop_front();
  ended.done(ended.woken);
}

// From the back of the heap to its front: what is armed meanwhile comes in behind, and is none of
// this request's. True: all was looked at, or the limit is reached.
bool Coordinator::hasten_slice(Hastening& work) {
  auto place = std::min(work.places_left, due_.size());
  const auto until = place - std::min(place, kHastenLookedAt);
  if (!budget_.has_room()) return false;
  std::vector<Live*> found;
  std::size_t branches = 0;  // each may be started by it
  for (; place > until && found.size() < kHastenedPerTurn && branches < kHastenedBranches &&
         !work.woken.more;
       --place) {
    auto& live = due_.live_at(place - 1);
    if (due_.time_at(place - 1) <= work.later_than_at) continue;
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
  for (auto* live : found) decide(*live, core::Hastened{});
  return place == 0 || work.woken.more;
}

void Coordinator::end_hastening(const Error& error) {
  for (const auto& work : std::exchange(hastening_, {}))
    refuse(work.done, error.code, error.detail);
}

}  // namespace belay::engine
