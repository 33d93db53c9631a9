// The engine's time, in ms since the epoch: records carry it, and due times are compared with it.
// It never goes back: it starts at the wall clock, or at the newest time in the state file if that
// is later. It advances with the monotonic clock and is corrected towards the wall clock by at most
// an eighth of the elapsed time. So a jump of the wall clock neither makes everything due at once
// nor stops everything. A difference larger than `kLeanMax` is not corrected: during the correction
// every interval would be wrong for weeks or decades.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/mark.h"
#include "ports/clock.h"

namespace belay::engine {

class EngineTime {
 public:
  // In ms; the correction of this difference takes a day.
  static constexpr std::int64_t kLeanMax = 3 * 3'600'000;

  // Returns how far the engine's time starts ahead of the wall clock, in ms.
  std::int64_t start(ports::Clock& clock, std::uint64_t not_before) {
    const auto wall = clock.wall_ms();
    monotonic_ = clock.monotonic_ms();
    now_ = std::max(wall, not_before);
    return static_cast<std::int64_t>(now_ - wall);
  }

  void tick(ports::Clock& clock) {
    const auto monotonic = clock.monotonic_ms();
    const auto elapsed = monotonic > monotonic_ ? monotonic - monotonic_ : 0;
    monotonic_ = std::max(monotonic_, monotonic);
    now_ += elapsed;
    budget_ = std::min<std::uint64_t>(budget_ + elapsed, 8 * 1000);
    const auto step = static_cast<std::int64_t>(budget_ / 8);
    const auto difference = static_cast<std::int64_t>(clock.wall_ms() - now_);
    const bool near = difference >= -kLeanMax && difference <= kLeanMax;
    const auto lean = near ? std::clamp(difference, -step, step) : 0;
    if (lean != 0) BELAY_MARK(clock_leaned);
    budget_ -= 8 * static_cast<std::uint64_t>(lean < 0 ? -lean : lean);
    now_ += static_cast<std::uint64_t>(lean);
  }

  std::uint64_t now() const { return now_; }
  std::uint64_t monotonic() const { return monotonic_; }
  std::uint64_t monotonic_at(std::uint64_t due) const {
    return monotonic_ + (due > now_ ? due - now_ : 0);
  }

 private:
  std::uint64_t now_ = 0;
  std::uint64_t monotonic_ = 0;
  // Elapsed ms that were not yet used for corrections; a correction of one ms uses eight of them.
  std::uint64_t budget_ = 0;
};

}  // namespace belay::engine
