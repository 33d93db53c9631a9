// Lines of one kind that may come by the hundred thousand, one a transaction: a few are written,
// the others counted and told in one.
#pragma once

#include <cstdint>
#include <utility>

namespace belay::base {

class LogBurst {
 public:
  static constexpr std::uint32_t kLines = 10;  // of each …
  static constexpr std::uint64_t kMillis = 10'000;

  // True: this one is written.
  bool take(std::uint64_t now_ms) {
    if (lines_ == 0 || (left_out_ == 0 && now_ms - began_ms_ >= kMillis)) {
      began_ms_ = now_ms;
      lines_ = 0;
    }
    if (lines_ < kLines) return ++lines_ != 0;
    ++left_out_;
    return false;
  }
  // How many were not, once that time is over; they are told then, and it begins anew.
  std::uint64_t take_left_out(std::uint64_t now_ms) {
    if (left_out_ == 0 || now_ms - began_ms_ < kMillis) return 0;
    lines_ = 0;
    return std::exchange(left_out_, 0);
  }

 private:
  std::uint64_t began_ms_ = 0;
  std::uint32_t lines_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace belay::base
