// How long a source waits before it tries again: twice as long after each failure in a row.
#pragma once

#include <algorithm>
#include <cstdint>

namespace belay::names {

class Backoff {
 public:
  static constexpr std::uint64_t kFirstMillis = 200;
  static constexpr std::uint64_t kMostMillis = 15'000;

  std::uint64_t next() {
    const auto now = wait_;
    wait_ = std::min(wait_ * 2, kMostMillis);
    return now;
  }
  void reset() { wait_ = kFirstMillis; }

 private:
  std::uint64_t wait_ = kFirstMillis;
};

}  // namespace belay::names
