// Calls that wait for a place, each in the queue of its lane. A lane that has none holds up nobody
// but those behind it; lanes that may have one are served in turn, one call each.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

#include "engine/call_table.h"
#include "engine/live.h"
#include "ports/caller.h"

namespace belay::engine {

class LaneQueues {
 public:
  LaneQueues() = default;
  LaneQueues(const LaneQueues&) = delete;
  LaneQueues& operator=(const LaneQueues&) = delete;

  // At most one a branch, so there are never more than the live transactions have branches.
  std::size_t size() const { return places_.size(); }
  // May one that comes now be made at once? Not before those that came earlier.
  bool is_next(ports::Lane lane) const { return ready_.empty() && !lanes_.contains(lane); }
  // At the end of its lane, which is shut if it is new and has no place.
  void wait(const PendingCall& call, bool has_place);

  // The lane whose turn it is.
  std::optional<ports::Lane> next_lane() const;
  // Its first call; the lane has its next turn after all others.
  PendingCall take_from(ports::Lane lane);
  // It has no place: no turn before it is opened.
  void shut(ports::Lane lane);
  // It may have one; true if it was shut and calls wait for it.
  bool open(ports::Lane lane);

  // What the branch's call would do, if one waits.
  std::optional<Op> op_of(const Live& live, std::uint32_t branch) const {
    const auto found = places_.find({&live, branch});
    return found == places_.end() ? std::nullopt : std::optional(found->second.call->op);
  }
  void withdraw(const Live& live, std::uint32_t branch);
  void clear();

 private:
  struct LaneQueue {
    ports::Lane lane = 0;
    bool shut = false;
    std::list<PendingCall> calls;
  };
  using Queue = std::list<LaneQueue>::iterator;
  struct Place {
    Queue queue;
    std::list<PendingCall>::iterator call;
  };
  using Key = std::pair<const Live*, std::uint32_t>;
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<const Live*>()(key.first) * 31 + key.second;
    }
  };

  void erase(const Place& place);

  std::list<LaneQueue> ready_;  // in the order of their turns; none is empty
  std::list<LaneQueue> shut_;
  std::unordered_map<ports::Lane, Queue> lanes_;
  std::unordered_map<Key, Place, Hash> places_;
};

}  // namespace belay::engine
