// Calls that wait for a place, each in the queue of its lane. A lane without a free place delays
// only its own calls; lanes that may have a free place are served in turn, one call each.
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

  // A branch has at most one waiting call, so there are never more than the branches of all live
  // transactions.
  std::size_t size() const { return places_.size(); }
  // True if a new call of this lane may be made at once; false while earlier calls wait.
  bool is_next(ports::Lane lane) const { return ready_.empty() && !lanes_.contains(lane); }
  // Adds the call at the end of its lane. If the lane is new and has no place, it is shut.
  void wait(const PendingCall& call, bool has_place);

  // The lane whose turn it is.
  std::optional<ports::Lane> next_lane() const;
  // Removes and returns the first call of the lane; the lane's next turn comes after all other
  // lanes.
  PendingCall take_from(ports::Lane lane);
  // The lane has no free place: it gets no turn before `open`.
  void shut(ports::Lane lane);
  // The lane may have a free place again; true if the lane was shut, which means that calls wait in
  // it.
  bool open(ports::Lane lane);

  // The operation of the branch's waiting call, if there is one.
  std::optional<Op> op_of(const Live& live, std::uint32_t branch) const {
    const auto found = places_.find({&live, branch});
    return found == places_.end() ? std::nullopt : std::optional(found->second.call->op);
  }
  void withdraw(const Live& live, std::uint32_t branch);
  void clear();

  // Calls `visit` with each waiting call of the lanes without a place for which `wanted` is true,
  // as long as it returns true.
  template <class Wanted, class Visit>
  void for_each_shut(Wanted wanted, Visit visit) const {
    for (const auto& queue : shut_) {
      if (!wanted(queue.lane)) continue;
      for (const auto& call : queue.calls) {
        if (!visit(call)) return;
      }
    }
  }

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
