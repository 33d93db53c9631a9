// For log lines of one kind that may come by the hundred thousand, one for each transaction: the
// first few are written, the others are counted and reported in one line.
#pragma once

#include <cstdint>
#include <utility>

namespace belay::base {

class LogBurst {
 public:
  static constexpr std::uint32_t kLines = 10;  // lines in each period of kMillis
  static constexpr std::uint64_t kMillis = 10'000;

  // True: this line is written.
  bool take(std::uint64_t now_ms) {
    if (lines_ == 0 || (left_out_ == 0 && now_ms - began_ms_ >= kMillis)) {
      began_ms_ = now_ms;
      lines_ = 0;
    }
    if (lines_ < kLines) return ++lines_ != 0;
    ++left_out_;
    return false;
  }
  // How many lines were left out, once the period is over; the caller reports them, and a new
  // period begins.
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
