// Calls in flight: those that answer later, by id and by the time they are given up.
#pragma once

#include <cstdint>
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
};

class CallTable {
 public:
  std::size_t in_flight() const { return calls_.size(); }

  ports::CallId add(const PendingCall& call, std::uint64_t give_up_at) {
    const auto id = ++last_id_;
    calls_.emplace(id, Entry{call, give_up_at});
    deadlines_.emplace(give_up_at, id);
    return id;
  }
  bool has(ports::CallId id) const { return calls_.contains(id); }
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

 private:
  struct Entry {
    PendingCall call;
    std::uint64_t give_up_at;
  };
  std::unordered_map<ports::CallId, Entry> calls_;
  std::set<std::pair<std::uint64_t, ports::CallId>> deadlines_;
  ports::CallId last_id_ = 0;
};

}  // namespace belay::engine
