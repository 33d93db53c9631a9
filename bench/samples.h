// Some of a run's transactions, spread over the run: their rows are checked one by one afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/types.h"

namespace belay::bench {

struct Sample {
  std::string gid;
  Status status{};
};

class Samples {
 public:
  // Offers the `number`th transaction of the run, counted from 1: the first is kept, then one in
  // `every_`.
  void offer(std::uint64_t number, std::string_view gid, Status status) {
    if (number % every_ != 1) return;
    all_.push_back({std::string(gid), status});
    if (all_.size() == kMost) thin_out();
  }
  const std::vector<Sample>& all() const noexcept { return all_; }

 private:
  static constexpr std::size_t kMost = 256;

  // Removes every second sample, and keeps only half as many from now on.
  void thin_out() {
    for (std::size_t i = 0; i < kMost / 2; ++i) std::swap(all_[i], all_[2 * i]);
    all_.resize(kMost / 2);
    every_ *= 2;
  }

  // A prime at first, so that the samples rarely match a period of the run.
  std::uint64_t every_ = 97;
  std::vector<Sample> all_;
};

}  // namespace belay::bench
