// Seeded randomness that is the same on every machine: the standard distributions differ between
// libraries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace belay::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // splitmix64: every seed is a good one, 0 too.
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 0 to bound-1. The bias of the remainder is of no account here.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low + below(high - low + 1);
  }
  bool percent(std::uint64_t chance) { return below(100) < chance; }
  template <class T>
  const T& one_of(const std::vector<T>& values) {
    return values[static_cast<std::size_t>(below(values.size()))];
  }
  // A stream of its own: what one part of a test draws does not shift what another gets.
  Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace belay::test
