// How soon a loop goes round again when it is asked to at once, and its last round did nothing.
// Rounds for nothing may take a part of the time; whoever asks for ever waits between them.
#pragma once

#include <algorithm>
#include <chrono>

namespace belay::http {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  using Millis = std::chrono::milliseconds;

  static constexpr int kPart = 20;        // of the time
  static constexpr Millis kBurst{1'000};  // of whose part all may be spent at once
  static constexpr Millis kPauseMax{100};

  // After a round for nothing, from `begun` to `now`.
  Millis pause(Clock::time_point begun, Clock::time_point now) {
    spent_until_ = std::max(spent_until_, now - kBurst) + kPart * (now - begun);
    spent_until_ = std::min<Clock::time_point>(spent_until_, now + kPauseMax);
    return std::max(std::chrono::ceil<Millis>(spent_until_ - now), Millis(0));
  }

 private:
  Clock::time_point spent_until_{};
};

}  // namespace belay::http
