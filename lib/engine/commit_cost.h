// The fixed cost of a commit, which does not depend on its size. It is estimated from the last
// commits by a linear fit of time over bytes, in which older commits count less.
#pragma once

#include <cstddef>
#include <cstdint>

namespace belay::engine {

class CommitCost {
 public:
  void add(std::size_t bytes, std::uint64_t us) {
    constexpr double kKept = 0.98;
    const auto x = static_cast<double>(bytes);
    const auto y = static_cast<double>(us);
    count_ = kKept * count_ + 1;
    x_ = kKept * x_ + x;
    y_ = kKept * y_ + y;
    xx_ = kKept * xx_ + x * x;
    xy_ = kKept * xy_ + x * y;
  }

  // µs. 0: unknown, because all commits had the same size, or because the store has no clock.
  double fixed_us() const {
    const auto spread = count_ * xx_ - x_ * x_;
    constexpr double kAlike = 0.01;  // relative to the squares
    if (spread <= kAlike * count_ * xx_) return 0;
    const auto fixed = (y_ * xx_ - x_ * xy_) / spread;
    return fixed > 0 ? fixed : 0;
  }

 private:
  double count_ = 0;
  double x_ = 0;
  double y_ = 0;
  double xx_ = 0;
  double xy_ = 0;
};

}  // namespace belay::engine
