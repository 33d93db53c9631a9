// Some of a run's transactions, spread over it: their rows are looked at one by one afterwards.
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
  // The `number`th of the run, counted from 1: the first is kept, then one in so many.
  void offer(std::uint64_t number, std::string_view gid, Status status) {
    if (number % every_ != 1) return;
    all_.push_back({std::string(gid), status});
    if (all_.size() == kMost) thin_out();
  }
  const std::vector<Sample>& all() const noexcept { return all_; }

 private:
  static constexpr std::size_t kMost = 256;

  // Every second one goes, and of those to come too.
  void thin_out() {
    for (std::size_t i = 0; i < kMost / 2; ++i) std::swap(all_[i], all_[2 * i]);
    all_.resize(kMost / 2);
    every_ *= 2;
  }

  std::uint64_t every_ = 97;  // prime at first, so that it falls in step with little
  std::vector<Sample> all_;
};

}  // namespace belay::bench
