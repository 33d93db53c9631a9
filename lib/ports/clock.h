// The clock and the alarm. Time enters the engine only through these two ports.
#pragma once

#include <cstdint>

namespace belay::ports {

class Clock {
 public:
  virtual ~Clock() = default;
  // The wall clock, in ms since the epoch; this time is written to disk. It may jump.
  virtual std::uint64_t wall_ms() = 0;
  // The monotonic clock, in ms; waiting uses this time. It does not change during a turn.
  virtual std::uint64_t monotonic_ms() = 0;
};

// One alarm: the engine keeps its own list of due times and sets the alarm for the earliest.
class Alarm {
 public:
  virtual ~Alarm() = default;
  // Requests that engine::Coordinator::turn is called at `monotonic_ms` or soon after. Replaces an
  // earlier request.
  virtual void wake_at(std::uint64_t monotonic_ms) = 0;
  // Requests that engine::Coordinator::turn is called soon. Thread-safe.
  virtual void wake() = 0;
  // A hint at a turn's end: the store's answer is due soon, and few callers share the wait for it.
  // The thread may stay awake until it comes, for a time that it chooses.
  virtual void linger() {}
};

}  // namespace belay::ports
