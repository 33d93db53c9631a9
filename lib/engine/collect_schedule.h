// When the history is searched for expired transactions. Times are monotonic, in ms.
#pragma once

#include <algorithm>
#include <cstdint>

#include "belay/options.h"
#include "engine/limits.h"

namespace belay::engine {

class CollectSchedule {
 public:
  // `options` must outlive this object.
  explicit CollectSchedule(const Options& options) : options_(options) {}

  void start(std::uint64_t now) { next_at_ = now; }
  bool is_due(std::uint64_t now) const { return !under_way_ && next_at_ <= now; }
  // 0: a collection is under way, and its end sets the next time.
  std::uint64_t next_at() const { return under_way_ ? 0 : next_at_; }

  void begin() { under_way_ = true; }
  // `more`: more expired transactions are left.
  void end(std::uint64_t now, bool more) {
    under_way_ = false;
    next_at_ = now + (more ? kCollectPause : interval());
  }
  bool is_under_way() const { return under_way_; }

 private:
  // A quarter of the shortest retention, but a second at least, so that a short retention is kept
  // to within a quarter.
  std::uint64_t interval() const {
    auto interval = kCollectInterval;
    for (const auto retention : {options_.retention, options_.retention_failed}) {
      const auto ms = static_cast<std::uint64_t>(retention.count());
      if (ms != 0) interval = std::clamp<std::uint64_t>(ms / 4, 1'000, interval);
    }
    return interval;
  }

  const Options& options_;
  bool under_way_ = false;
  std::uint64_t next_at_ = 0;
};

}  // namespace belay::engine
