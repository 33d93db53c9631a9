// The hosts that are called, and which target leads to which: bounded, the ones unused for longest
// are forgotten first.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hook/host.h"
#include "hook/url.h"
#include "ports/caller.h"

namespace belay::hook {

struct HostEntry {
  HostEntry(std::string host_name, ports::Lane host_lane, const HookOptions& options)
      : name(std::move(host_name)), lane(host_lane), host(options) {}

  std::string name;
  ports::Lane lane;
  Host host;
  bool wanted = false;        // somebody was told that there is no place
  std::uint64_t look_at = 0;  // when to look again by itself; 0: not
};

// One target, worked out.
struct Route {
  Result<Target> target;
  HostEntry* entry;  // of a target that cannot or may not be called: null
};

class HostTable {
 public:
  // `check` says whether a target may be called; both live as long as this.
  using Check = std::function<Result<>(std::string_view target)>;
  HostTable(const HookOptions& options, Check check)
      : options_(options), check_(std::move(check)) {}

  // Good until the next call of this function.
  const Route& route(std::string_view target);
  HostEntry* find(ports::Lane lane);
  std::vector<HostFigures> figures() const;  // by host

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
  std::list<HostEntry> entries_;  // the one used last first
  std::unordered_map<std::string_view, std::list<HostEntry>::iterator> by_name_;
  std::unordered_map<ports::Lane, std::list<HostEntry>::iterator> by_lane_;
  std::unordered_map<std::string, Route, Hash, std::equal_to<>> routes_;
};

}  // namespace belay::hook
