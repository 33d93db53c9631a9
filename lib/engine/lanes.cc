#include "engine/lanes.h"

#include <iterator>

#include "belay/check.h"

namespace belay::engine {

void LaneQueues::wait(const PendingCall& call, bool has_place) {
  const auto [found, is_new] = lanes_.try_emplace(call.lane);
  if (is_new) {
    auto& side = has_place ? ready_ : shut_;
    found->second = side.insert(side.end(), {call.lane, !has_place, {}});
  }
  const auto queue = found->second;
  const auto place = queue->calls.insert(queue->calls.end(), call);
  const bool added = places_.emplace(Key{call.live, call.branch}, Place{queue, place}).second;
  BELAY_CHECK(added);
  ++call.live->calls_waiting;
}

std::optional<ports::Lane> LaneQueues::next_lane() const {
  return ready_.empty() ? std::nullopt : std::optional(ready_.front().lane);
}

PendingCall LaneQueues::take_from(ports::Lane lane) {
  const auto found = lanes_.find(lane);
  BELAY_CHECK(found != lanes_.end() && !found->second->shut);
  const auto queue = found->second;
  ready_.splice(ready_.end(), ready_, queue);
  const auto call = queue->calls.front();
  withdraw(*call.live, call.branch);
  return call;
}

void LaneQueues::shut(ports::Lane lane) {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end() || found->second->shut) return;
  found->second->shut = true;
  shut_.splice(shut_.end(), ready_, found->second);
}

bool LaneQueues::open(ports::Lane lane) {
  const auto found = lanes_.find(lane);
  if (found == lanes_.end() || !found->second->shut) return false;
  found->second->shut = false;
  ready_.splice(ready_.end(), shut_, found->second);
  return true;
}

void LaneQueues::withdraw(const Live& live, std::uint32_t branch) {
  const auto found = places_.find({&live, branch});
  BELAY_CHECK(found != places_.end());
  const auto place = found->second;
  places_.erase(found);
  erase(place);
}

void LaneQueues::erase(const Place& place) {
  const auto queue = place.queue;
  --place.call->live->calls_waiting;
  queue->calls.erase(place.call);
  if (!queue->calls.empty()) return;
  lanes_.erase(queue->lane);
  (queue->shut ? shut_ : ready_).erase(queue);
}

void LaneQueues::clear() {
  while (!places_.empty()) {
    const auto place = places_.begin()->second;
    places_.erase(places_.begin());
    erase(place);
  }
}

}  // namespace belay::engine
