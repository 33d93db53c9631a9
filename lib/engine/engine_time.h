// The engine's one scale of time, in ms since the epoch: what records carry and what due times are
// compared with. It never goes back: it starts at the wall clock, or where the state file's ended.
// It runs with the monotonic clock and leans towards the wall clock by at most an eighth, so that a
// jump of the wall clock neither fires everything at once nor freezes everything. A difference
// beyond `kLeanMax` stays: leaning it away would make every interval wrong for weeks or decades.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/mark.h"
#include "ports/clock.h"

namespace belay::engine {

class EngineTime {
 public:
  // ms; a day of leaning.
  static constexpr std::int64_t kLeanMax = 3 * 3'600'000;

  // How far ahead of the wall clock it begins.
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
  std::uint64_t budget_ = 0;  // ms of running not yet spent on leaning; a ms of leaning costs eight
};

}  // namespace belay::engine
