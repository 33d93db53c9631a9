// What makes the calls of one protocol. Which calls may be made, and when, is decided by Hooks, for
// all protocols alike. Everything runs on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>

#include "belay/call.h"
#include "belay/result.h"
#include "hook/host.h"
#include "hook/host_table.h"
#include "hook/url.h"
#include "ports/caller.h"

struct uv_loop_s;

namespace belay::hook {

// A call that has a place at its host.
struct Placed {
  ports::CallId id = 0;
  ports::Lane lane = 0;
  Host::Ticket ticket{};
};

struct CallEnd {
  Host::End host;
  Outcome outcome;
};

class Calls {
 public:
  // A call has ended; never within `begin`.
  using Ended = std::function<void(const Placed& placed, const CallEnd& end)>;

  virtual ~Calls() = default;

  // Errors: resources; then nothing is on the loop.
  virtual Result<> start(uv_loop_s* loop, Ended ended) = 0;
  // Begins a call, and with it the host's call. `span`: of this call in the trace, not 0. Errors,
  // for which no call has begun: invalid_argument, resources (it is counted).
  virtual Result<> begin(ports::CallId id, const Call& call, const Target& target, HostEntry& entry,
                         std::uint64_t span) = 0;
  // The number of calls so far for which there was no descriptor or memory.
  virtual std::uint64_t shortages() const = 0;
  // Drops the calls in flight; `closed` runs when nothing is left on the loop.
  virtual void close(std::function<void()> closed) = 0;
};

}  // namespace belay::hook
