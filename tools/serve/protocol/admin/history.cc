#include "serve/protocol/admin/history.h"

#include <utility>

#include "view/text.h"

namespace belay::protocol::admin {
namespace {

using tool::Json;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

std::optional<double> to_ms(const std::optional<double>& seconds) {
  return seconds ? std::optional(*seconds * 1'000) : std::nullopt;
}

}  // namespace

void History::sample(const Counters& counters, const Metrics& metrics) {
  auto durations = metrics.durations(kSubmitRoutes);
  const base::Lock lock(mutex_);
  auto counts = durations.counts;
  counts_.resize(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) durations.counts[i] -= counts_[i];
  counts_ = std::move(counts);
  samples_.push_back({tool::now(), counters, durations.count(), to_ms(durations.quantile(0.5)),
                      to_ms(durations.quantile(0.99))});
  if (samples_.size() > kSamplesMax) samples_.pop_front();
}

Json History::json() const {
  auto array = Json::array();
  const base::Lock lock(mutex_);
  for (const auto& sample : samples_) {
    const auto& counters = sample.counters;
    array.push_back({{"at", sample.at.time_since_epoch().count()},
                     {"submitted", counters.submitted},
                     {"succeeded", counters.succeeded},
                     {"failed", counters.failed},
                     {"refused", counters.refused},
                     {"live", counters.live},
                     {"stuck", counters.stuck},
                     {"queued", counters.queued},
                     {"calls", counters.calls},
                     {"calls_unknown", counters.calls_unknown},
                     {"calls_in_flight", counters.calls_in_flight},
                     {"due_lag_ms", counters.due_lag_ms},
                     {"commits", counters.commits},
                     {"commit_us_max", counters.commit_us_max},
                     {"submits", sample.submits},
                     {"latency_p50_ms", or_null(sample.p50_ms)},
                     {"latency_p99_ms", or_null(sample.p99_ms)}});
  }
  return {{"interval_ms", kInterval.count()}, {"samples", std::move(array)}};
}

}  // namespace belay::protocol::admin
