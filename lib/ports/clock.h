// Time enters the engine here and nowhere else.
#pragma once

#include <cstdint>

namespace belay::ports {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock, ms since the epoch: what is written to disk. May jump.
  virtual std::uint64_t wall_ms() = 0;
  // Monotonic, ms: what is waited for. Stays the same during a turn.
  virtual std::uint64_t monotonic_ms() = 0;
};

// One alarm: the engine keeps its own order of what is due and asks to be woken for the first.
class Alarm {
 public:
  virtual ~Alarm() = default;
  // engine::Coordinator::turn is to be called at `monotonic_ms` or soon after; replaces an earlier
  // wish.
  virtual void wake_at(std::uint64_t monotonic_ms) = 0;
  // engine::Coordinator::turn is to be called soon. Thread-safe.
  virtual void wake() = 0;
};

}  // namespace belay::ports
