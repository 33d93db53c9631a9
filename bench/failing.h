// Which transactions of a run must fail: the same seed selects the same ones, whatever the threads
// do.
#pragma once

#include <cmath>
#include <cstdint>

#include "settings.h"

namespace belay::bench {

class Failing {
 public:
  explicit Failing(const Settings& settings)
      : seed_(settings.seed),
        below_(static_cast<std::uint64_t>(std::ldexp(settings.fail_percent / 100.0, 53))) {}

  bool is(std::uint64_t index) const noexcept {
    return (scrambled(seed_ * 0x100000001b3U + index) >> 11) < below_;
  }

 private:
  static constexpr std::uint64_t scrambled(std::uint64_t x) noexcept {
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }

  std::uint64_t seed_, below_;
};

}  // namespace belay::bench
