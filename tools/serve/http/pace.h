// How soon a loop may run its next round if it is asked to run at once but its last round did
// nothing. Useless rounds may take only a part of the time; if the requests do not end, the loop
// waits between the rounds.
#pragma once

#include <algorithm>
#include <chrono>

namespace belay::http {

class Pace {
 public:
  using Clock = std::chrono::steady_clock;
  using Millis = std::chrono::milliseconds;

  static constexpr int kPart = 20;  // one part in this many of the time
  // The part that belongs to this much time may be spent at once.
  static constexpr Millis kBurst{1'000};
  static constexpr Millis kPauseMax{100};

  // To be called after a useless round, which ran from `begun` to `now`.
  Millis pause(Clock::time_point begun, Clock::time_point now) {
    spent_until_ = std::max(spent_until_, now - kBurst) + kPart * (now - begun);
    spent_until_ = std::min<Clock::time_point>(spent_until_, now + kPauseMax);
    return std::max(std::chrono::ceil<Millis>(spent_until_ - now), Millis(0));
  }

 private:
  Clock::time_point spent_until_{};
};

}  // namespace belay::http
