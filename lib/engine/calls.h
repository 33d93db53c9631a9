// Calls that answer later: those in flight, by id and by the time they are given up, and those that
// wait for a place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
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
};

class CallTable {
 public:
  std::size_t in_flight() const { return calls_.size(); }
  std::size_t waiting() const { return waiting_.size(); }

  ports::CallId add(const PendingCall& call, std::uint64_t give_up_at) {
    const auto id = ++last_id_;
    calls_.emplace(id, Entry{call, give_up_at});
    deadlines_.emplace(give_up_at, id);
    return id;
  }
  // Takes it out; nothing if it was given up before.
  std::optional<PendingCall> take(ports::CallId id) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return std::nullopt;
    const auto entry = found->second;
    deadlines_.erase({entry.give_up_at, id});
    calls_.erase(found);
    return entry.call;
  }
  // One whose time is up.
  std::optional<PendingCall> take_expired(std::uint64_t now) {
    if (deadlines_.empty() || deadlines_.begin()->first > now) return std::nullopt;
    return take(deadlines_.begin()->second);
  }
  // 0: none.
  std::uint64_t next_deadline() const { return deadlines_.empty() ? 0 : deadlines_.begin()->first; }

  void wait(const PendingCall& call) { waiting_.push_back(call); }
  std::optional<PendingCall> take_waiting() {
    if (waiting_.empty()) return std::nullopt;
    const auto call = waiting_.front();
    waiting_.pop_front();
    return call;
  }
  // One of this transaction's.
  std::optional<PendingCall> take_waiting_of(const Live& live) {
    const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                    [&](const PendingCall& call) { return call.live == &live; });
    if (found == waiting_.end()) return std::nullopt;
    const auto call = *found;
    waiting_.erase(found);
    return call;
  }

 private:
  struct Entry {
    PendingCall call;
    std::uint64_t give_up_at;
  };
  std::unordered_map<ports::CallId, Entry> calls_;
  std::set<std::pair<std::uint64_t, ports::CallId>> deadlines_;
  std::deque<PendingCall> waiting_;
  ports::CallId last_id_ = 0;
};

}  // namespace belay::engine
