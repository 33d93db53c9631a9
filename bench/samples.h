// Some of a run's transactions, spread over it: their rows are looked at one by one afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
    if (all_.size() < kMost && number % kEvery == 1) all_.push_back({std::string(gid), status});
  }
  const std::vector<Sample>& all() const noexcept { return all_; }

 private:
  static constexpr std::uint64_t kEvery = 97;  // prime, so that it falls in step with nothing
  static constexpr std::size_t kMost = 256;

  std::vector<Sample> all_;
};

}  // namespace belay::bench
