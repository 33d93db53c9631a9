// The engine's figures of the last hour, a sample every five seconds, so that a page has its curves
// at once. They are in memory only.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "belay/engine.h"
#include "serve/protocol/metrics.h"
#include "view/rows.h"

namespace belay::protocol::admin {

// The routes whose durations are the latencies: both ways to submit.
inline constexpr std::array<std::string_view, 3> kSubmitRoutes = {"submit", "v1-submit",
                                                                  "grpc-submit"};

// Thread-safe.
class History {
 public:
  static constexpr Millis kInterval{5'000};
  static constexpr std::size_t kSamplesMax = 720;

  // The newest sample; beyond kSamplesMax the oldest is dropped.
  void sample(const Counters& counters, const Metrics& metrics);
  tool::Json json() const;

 private:
  struct Sample {
    TimePoint at{};
    Counters counters{};
    std::uint64_t submits = 0;  // requests to submit that were answered in the interval
    std::optional<double> p50_ms{}, p99_ms{};
  };

  mutable base::Mutex mutex_;
  std::deque<Sample> samples_ BELAY_GUARDED_BY(mutex_);         // oldest first
  std::vector<std::uint64_t> counts_ BELAY_GUARDED_BY(mutex_);  // of durations, at the last sample
};

}  // namespace belay::protocol::admin
