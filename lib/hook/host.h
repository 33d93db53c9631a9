// Limits the calls of one host: calls in flight, a rate, and a circuit breaker. The time is passed
// in, in milliseconds of a clock that never goes back.
#pragma once

#include <cstdint>

#include "belay/hooks.h"
#include "belay/outcome.h"

namespace belay::hook {

class Host {
 public:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  // Whether this call is the one that tests a host whose breaker is open.
  enum class Ticket : std::uint8_t { ordinary, probe };
  // An answer of any kind shows that the host is available. `unreached`: as silent, but nothing of
  // the call was sent. A call that was not made, because the system had no resources for it, shows
  // nothing.
  enum class End : std::uint8_t { answered, silent, unreached, not_made };

  // `options` must outlive this object.
  explicit Host(const HookOptions& options);

  bool has_place(std::uint64_t now) { return place_at(now) <= now; }
  // The time at which there is a place for one more call even if no call ends before; kNever: a
  // call must end first.
  std::uint64_t place_at(std::uint64_t now);
  // A call begins. There should be a place; if there is none, the call is counted all the same.
  Ticket begin(std::uint64_t now);
  // A call has ended.
  void end(std::uint64_t now, Ticket ticket, End end, OutcomeKind outcome);

  bool is_idle() const { return in_flight_ == 0; }
  BreakerState breaker() const { return state_; }
  // All figures except the name.
  HostFigures figures() const;

 private:
  void open(std::uint64_t now);
  void refill(std::uint64_t now);

  const HookOptions* options_;
  BreakerState state_ = BreakerState::closed;
  std::uint32_t silent_in_a_row_ = 0;
  std::uint64_t open_for_ = 0;
  std::uint64_t open_until_ = 0;
  std::uint64_t in_flight_ = 0;
  double tokens_ = 0;
  double tokens_max_ = 0;
  std::uint64_t filled_at_ = 0;
  HostFigures totals_;
};

}  // namespace belay::hook
