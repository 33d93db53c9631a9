// Calls a branch: a registered function or a URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "belay/call.h"
#include "belay/hooks.h"

namespace belay::ports {

using CallId = std::uint64_t;  // one attempt; never used twice in a process
// What calls queue for: those of one lane wait for each other and never for those of another.
using Lane = std::uint64_t;  // never used twice in a process
// Lanes from here on are the engine's own.
inline constexpr Lane kOwnLanes = Lane{1} << 63;

class Caller {
 public:
  virtual ~Caller() = default;

  enum class Kind : std::uint8_t {
    unregistered,
    immediate,
    deferred,
    blocking,  // as deferred; its answer always comes, and until then its work goes on here
  };
  // How a call to this target would be made.
  virtual Kind kind_of(std::string_view target) = 0;
  // Only for `immediate` targets: makes the call and returns its outcome. Never throws.
  virtual Outcome call_now(const Call& call) = 0;
  // Only for `deferred` and `blocking` targets. Its lane, and whether that has place for one more
  // call now; if not, engine::Coordinator::lane_opened is called, on the loop, when it may have (it
  // is asked again when a call of the lane ends, too). What is remembered of a lane may go once
  // that was called: one that is unknown has place.
  virtual Lane lane_of(std::string_view target) = 0;
  virtual bool has_place(Lane lane) = 0;
  // Only for those whose lane has place: copies what it needs of `call` and lets it
  // run. engine::Coordinator::answer is called at most once for it, on the loop and never within
  // this function. No answer: the engine gives up at the call's timeout, and a later answer is
  // dropped, save a `blocking` one's.
  virtual void call_later(CallId id, const Call& call) = 0;
  // Of the hosts that URLs led to, by name: shown by the tools.
  virtual std::vector<HostFigures> hosts() { return {}; }
  // Every function that blocks and still runs waits for transactions.
  virtual bool all_blocking_wait() { return false; }
  // Calls, so far, that the system had no descriptor, thread or memory for.
  virtual std::uint64_t shortages() { return 0; }
};

}  // namespace belay::ports
