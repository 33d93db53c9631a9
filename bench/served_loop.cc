#include "served_loop.h"

#include <algorithm>
#include <utility>

#include "machine.h"

namespace belay::bench {

ServedLoop::ServedLoop(const Settings& settings, std::function<double()> cpu_seconds)
    : settings_(settings), failing_(settings), cpu_now_(std::move(cpu_seconds)) {}

void ServedLoop::begin() {
  const auto began = now_ns();
  warm_until_ns_ = began + nanoseconds(std::min(kWarmUpSecondsMax, settings_.seconds / 10));
  end_ns_ = began + nanoseconds(settings_.seconds);
}

bool ServedLoop::may_submit(std::uint64_t now) const noexcept {
  return settings_.transactions > 0 ? results_.submitted < settings_.transactions : now < end_ns_;
}

bool ServedLoop::submit_one() noexcept {
  const bool failing = failing_.is(results_.submitted++);
  results_.failing_submitted += failing ? 1 : 0;
  return failing;
}

void ServedLoop::take_end(std::string_view gid, bool failing, std::uint64_t sent_ns,
                          std::uint64_t now) {
  (failing ? results_.failed : results_.succeeded).add(gid);
  samples_.offer(++completed_, gid, failing ? Status::failed : Status::succeed);
  measure(sent_ns, now);
}

// The same as a closed loop in this process: see Load.
void ServedLoop::measure(std::uint64_t sent_ns, std::uint64_t now) {
  if (until_ns_ > 0) return;
  if (from_ns_ == 0) {
    const bool warm = settings_.transactions > 0 ? completed_ > settings_.transactions / 10
                                                 : now >= warm_until_ns_;
    if (warm) from_ns_ = now, cpu_at_start_ = cpu_now_();
    return;
  }
  if (settings_.transactions == 0 && now >= end_ns_) {
    until_ns_ = now;
    cpu_at_end_ = cpu_now_();
    return;
  }
  results_.latencies->record(now - sent_ns);
}

ServedResults ServedLoop::end() {
  if (from_ns_ > 0 && until_ns_ == 0) until_ns_ = now_ns(), cpu_at_end_ = cpu_now_();
  results_.seconds = static_cast<double>(until_ns_ - from_ns_) / 1e9;
  results_.cpu_seconds = cpu_at_end_ - cpu_at_start_;
  results_.samples = samples_.all();
  return std::move(results_);
}

}  // namespace belay::bench
