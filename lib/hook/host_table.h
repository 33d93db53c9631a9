// The hosts that are called, and the host of each target. The number of hosts is limited; those
// unused for the longest time are forgotten first.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hook/host.h"
#include "hook/url.h"
#include "ports/caller.h"

namespace belay::hook {

// The calls that wait for a place in a lane.
struct LaneWait {
  ports::Lane lane;
  bool wanted = false;        // `has_place` was false for a call that now waits
  std::uint64_t look_at = 0;  // when to check for a place again without an event; 0: not
};

struct HostEntry : LaneWait {
  HostEntry(std::string host_name, ports::Lane host_lane, const HookOptions& options)
      : LaneWait{host_lane}, name(std::move(host_name)), host(options) {}

  std::string name;
  Host host;
  // The services that found no place here. One that is missing is looked at a second later.
  std::set<ports::Lane> services;
};

// The result of parsing and checking one target.
struct Route {
  Result<Target> target;
  HostEntry* entry;  // null if the target cannot or may not be called
};

class HostTable {
 public:
  // `check` decides whether a target may be called. `options` must outlive this object.
  using Check = std::function<Result<>(std::string_view target)>;
  HostTable(const HookOptions& options, Check check)
      : options_(options), check_(std::move(check)) {}

  // The result is valid until the next call of this function.
  const Route& route(std::string_view target);
  HostEntry* find(ports::Lane lane);
  HostEntry* find(std::string_view name);
  // A lane that is no host's.
  ports::Lane new_lane() { return ++last_lane_; }
  std::vector<HostFigures> figures() const;  // ordered by host

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  HostEntry& entry(const std::string& name);
  void make_room();

  const HookOptions& options_;
  const Check check_;
  ports::Lane last_lane_ = 0;
  std::list<HostEntry> entries_;  // the most recently used host first
  std::unordered_map<std::string_view, std::list<HostEntry>::iterator> by_name_;
  std::unordered_map<ports::Lane, std::list<HostEntry>::iterator> by_lane_;
  std::unordered_map<std::string, Route, Hash, std::equal_to<>> routes_;
};

}  // namespace belay::hook
