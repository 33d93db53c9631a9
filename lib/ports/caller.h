// The port that calls a branch: a registered function or a URL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/call.h"
#include "belay/hooks.h"
#include "belay/result.h"

namespace belay::ports {

// Identifies one attempt; never used twice in a process.
using CallId = std::uint64_t;
// A queue of calls: a call waits only for other calls of its lane, never for those of another lane.
using Lane = std::uint64_t;  // never used twice in a process
// Lanes with this number or a larger one belong to the engine itself.
inline constexpr Lane kOwnLanes = Lane{1} << 63;

class Caller {
 public:
  virtual ~Caller() = default;

  enum class Kind : std::uint8_t {
    unregistered,
    immediate,
    deferred,
    // As deferred, but the caller itself gives the call up at its timeout and says how far it came.
    timed,
    // As deferred, but the answer always comes, and until then the handler runs in this process.
    blocking,
  };
  // How a call to this target would be made.
  virtual Kind kind_of(std::string_view target) = 0;
  // Whether an edited branch could be called so. Errors: invalid_argument, forbidden_target,
  // unsupported.
  virtual Result<> check(std::string_view /*target*/, std::string_view /*payload*/,
                         const std::vector<Header>& /*headers*/) {
    return {};
  }
  // Only for `immediate` targets: makes the call and returns its outcome. Never throws.
  virtual Outcome call_now(const Call& call) = 0;
  // Only for targets that are not `immediate`: the target's lane, and whether the lane has a place
  // for one more call now. If it has none, engine::Coordinator::lane_opened is called, on the loop,
  // when the lane may have a place. (The engine also calls `has_place` again when a call of the
  // lane ends.) After that the caller may forget the lane: an unknown lane has a place.
  virtual Lane lane_of(std::string_view target) = 0;
  virtual bool has_place(Lane lane) = 0;
  // Why the lane will hardly have a place soon: its host does not answer. Nothing: it may have one.
  virtual std::optional<std::string> why_shut(Lane) { return std::nullopt; }
  // The host of a URL as its figures name it; empty for other targets.
  virtual std::string host_of(std::string_view) { return {}; }
  // How the target is known, however it was written: of a host's URL without a path the host.
  virtual std::string plain_target(std::string_view target) { return std::string(target); }
  // Only for calls whose lane has a place: copies what is needed of `call` and starts it.
  // engine::Coordinator::answer is called at most once for each call, on the loop and never within
  // this function. Without an answer the engine gives the call up at its timeout (a
  // `timed` call somewhat later). A later answer is then dropped, except that of a `blocking` call.
  virtual void call_later(CallId id, const Call& call) = 0;
  // The figures of the hosts of URLs, ordered by name, for the tools.
  virtual std::vector<HostFigures> hosts() { return {}; }
  // True if every blocking handler that still runs waits for transactions.
  virtual bool all_blocking_wait() { return false; }
  // The number of calls so far for which the system had no descriptor, thread or memory.
  virtual std::uint64_t shortages() { return 0; }
};

}  // namespace belay::ports
