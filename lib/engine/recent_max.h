// The largest value of the last ten to twenty seconds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

namespace belay::engine {

class RecentMax {
 public:
  // `now` never goes back.
  void add(std::uint64_t value, std::uint64_t now) {
    static_cast<void>(at(now));
    now_ = std::max(now_, value);
  }
  std::uint64_t at(std::uint64_t now) {
    if (now - since_ >= 2 * kWindow) now_ = 0;
    if (now - since_ >= kWindow) {
      before_ = std::exchange(now_, 0);
      since_ = now;
    }
    return std::max(now_, before_);
  }

 private:
  static constexpr std::uint64_t kWindow = 10'000;  // ms

  std::uint64_t since_ = 0;
  std::uint64_t now_ = 0;
  std::uint64_t before_ = 0;
};

}  // namespace belay::engine
