// The calls in flight: deferred calls by id and by the time at which they are given up, and the
// calls that were given up while their handler still runs in this process.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "belay/types.h"
#include "engine/live.h"
#include "ports/caller.h"

namespace belay::engine {

struct PendingCall {
  Live* live = nullptr;
  std::uint32_t branch = 0;
  Op op{};
  ports::Lane lane = 0;
  ports::Caller::Kind kind = ports::Caller::Kind::deferred;
  std::uint64_t waits_since = 0;  // monotonic ms, for a call that waits for a place
  bool is_outdated = false;       // it was made with values that an operator has changed since

  // True: the handler returns, however late.
  bool comes_back() const { return kind == ports::Caller::Kind::blocking; }
};

// The lane in which a branch's next call waits until its former call, which was given up, has
// returned.
constexpr ports::Lane lane_behind(ports::CallId id) { return ports::kOwnLanes + id; }
// The lane of the calls that wait until their target, held as the nth, is released.
constexpr ports::Lane lane_held(std::uint64_t nth) {
  return ports::kOwnLanes + (ports::kOwnLanes >> 1) + nth;
}

class CallTable {
 public:
  struct Taken {
    PendingCall call;
    bool given_up = false;
  };

  // Includes the calls that were given up and whose handler still runs.
  std::size_t in_flight() const { return calls_.size(); }
  // Calls whose timeout has not passed.
  std::size_t within_time() const { return deadlines_.size(); }
  // Calls whose handler will return and has not returned yet.
  std::size_t to_come_back() const { return to_come_back_; }

  // The bytes that were copied for the calls.
  std::size_t bytes() const { return bytes_; }

  ports::CallId add(const PendingCall& call, std::uint64_t give_up_at, std::size_t bytes) {
    const auto id = ++last_id_;
    calls_.emplace(id, Entry{call, give_up_at, bytes});
    bytes_ += bytes;
    deadlines_.emplace(give_up_at, id);
    to_come_back_ += call.comes_back() ? 1 : 0;
    return id;
  }
  bool has(ports::CallId id) const { return calls_.contains(id); }
  // Removes a call whose answer has arrived. Nothing if the call was given up for good.
  std::optional<Taken> take(ports::CallId id) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return std::nullopt;
    const auto& call = found->second.call;
    const bool given_up = deadlines_.erase({found->second.give_up_at, id}) == 0;
    if (given_up) running_on_.erase({call.live, call.branch});
    to_come_back_ -= call.comes_back() ? 1 : 0;
    bytes_ -= found->second.bytes;
    const Taken taken{call, given_up};
    calls_.erase(found);
    return taken;
  }
  // Gives up one call whose timeout has passed. A call whose handler will return stays in the table
  // until then.
  std::optional<PendingCall> give_up_one(std::uint64_t now) {
    if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
    const auto id = deadlines_.begin()->second;
    const auto found = calls_.find(id);
    const auto call = found->second.call;
    deadlines_.erase(deadlines_.begin());
    if (call.comes_back()) {
      running_on_.emplace(std::pair(call.live, call.branch), id);
    } else {
      bytes_ -= found->second.bytes;
      calls_.erase(found);
    }
    return call;
  }
  // The call of this branch that was given up and has not returned, if there is one.
  std::optional<ports::CallId> running_on(const Live& live, std::uint32_t branch) const {
    const auto found = running_on_.find({&live, branch});
    return found == running_on_.end() ? std::nullopt : std::optional(found->second);
  }
  // That call was made with values that have changed since.
  void outdate(const Live& live, std::uint32_t branch) {
    if (const auto id = running_on(live, branch)) calls_.at(*id).call.is_outdated = true;
  }
  // 0: there is none.
  std::uint64_t next_deadline() const { return deadlines_.empty() ? 0 : deadlines_.begin()->first; }

 private:
  struct Entry {
    PendingCall call;
    std::uint64_t give_up_at;
    std::size_t bytes;
  };
  std::unordered_map<ports::CallId, Entry> calls_;
  std::set<std::pair<std::uint64_t, ports::CallId>> deadlines_;
  std::map<std::pair<const Live*, std::uint32_t>, ports::CallId> running_on_;
  std::size_t to_come_back_ = 0;
  std::size_t bytes_ = 0;
  ports::CallId last_id_ = 0;
};

}  // namespace belay::engine
