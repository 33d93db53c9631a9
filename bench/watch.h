// Checks an engine's counters until they show what is waited for.
#pragma once

#include <chrono>
#include <thread>

#include "belay/engine.h"

namespace belay::bench {

// Calls `done(counters, moved)` every `tick` until it returns true. `moved`: there was a record or
// a commit since the last call. Returns false if nothing moves any more.
template <class Done>
bool watch(const Engine& engine, std::chrono::milliseconds tick, Done done) {
  constexpr std::chrono::seconds kStallMax{60};
  Counters last;
  for (auto moved_at = std::chrono::steady_clock::now();;) {
    const auto counters = engine.counters();
    const bool moved = counters.records != last.records || counters.commits != last.commits;
    if (done(counters, moved)) return true;
    const auto now = std::chrono::steady_clock::now();
    if (moved) moved_at = now;
    if (now - moved_at > kStallMax) return false;
    last = counters;
    std::this_thread::sleep_for(tick);
  }
}

}  // namespace belay::bench
