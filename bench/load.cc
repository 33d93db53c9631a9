#include "load.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "machine.h"

namespace belay::bench {
namespace {

// To wake up for every due time would cost more than the submits; the wait that this interval adds
// is part of the measured latency.
constexpr std::uint64_t kPaceNs = 200'000;

void sleep_until(std::uint64_t when_ns) {
  std::this_thread::sleep_until(
      std::chrono::steady_clock::time_point(std::chrono::nanoseconds(when_ns)));
}

}  // namespace

Load::Load(Engine& engine, Workload& workload, const Settings& settings)
    : engine_(engine), workload_(workload), settings_(settings), failing_(settings) {}

Load::~Load() {
  if (pacer_.joinable()) pacer_.join();
}

void Load::begin() {
  began_ns_ = now_ns();
  const double warm_up = std::min(kWarmUpSecondsMax, settings_.seconds / 10);
  warm_until_ns_ = began_ns_ + nanoseconds(warm_up);
  end_ns_ = began_ns_ + nanoseconds(settings_.seconds);
  // Closed loop: the first completion submits the others, so that all submits except this one
  // happen on the loop.
  if (!is_open_loop()) return submit_next(began_ns_);
  const auto by_time = static_cast<std::uint64_t>(settings_.seconds * settings_.rate);
  target_ =
      settings_.transactions > 0 ? settings_.transactions : std::max<std::uint64_t>(1, by_time);
  pacer_ = std::thread([this] { pace(); });
}

void Load::submit_next(std::uint64_t due_ns) {
  const auto index = submitted_.fetch_add(1, std::memory_order_relaxed);
  const bool failing = failing_.is(index);
  failing_submitted_ += failing ? 1 : 0;
  const auto taken = workload_.begin(
      engine_, failing, [this, due_ns](const Result<Report>& result) { on_final(due_ns, result); });
  if (!taken) on_refused(taken.error());
}

void Load::pace() {
  const std::uint64_t count = target_;
  const double gap_ns = 1e9 / settings_.rate;
  const auto due_ns = [&](std::uint64_t index) {
    return began_ns_ + static_cast<std::uint64_t>(static_cast<double>(index) * gap_ns);
  };
  for (std::uint64_t i = 0; i < count;) {
    for (const auto now = now_ns(); i < count && due_ns(i) <= now; ++i) submit_next(due_ns(i));
    if (i < count) sleep_until(std::max(due_ns(i), now_ns() + kPaceNs));
  }
}

void Load::on_final(std::uint64_t due_ns, const Result<Report>& result) {
  const auto now = now_ns();
  account(result);
  measure(due_ns, now);
  const auto completed = completed_.fetch_add(1, std::memory_order_acq_rel) + 1;
  if (is_open_loop()) return finish_if_done(completed);
  top_up(now);
  finish_if_done(this->completed());
}

// Runs on the submitting thread, which in an open loop is not the engine's. A refusal ends a closed
// loop: the next submit would be refused for the same reason, and the run is invalid.
void Load::on_refused(const Error& error) {
  note_error(fmt::format("{}: {}", name_of(error.code), error.detail));
  refused_.fetch_add(1, std::memory_order_relaxed);
  const auto completed = completed_.fetch_add(1, std::memory_order_acq_rel) + 1;
  if (!is_open_loop()) target_.store(submitted(), std::memory_order_release);
  finish_if_done(completed);
}

// Only one thread, which may be any thread, counts the last completion and reaches this point.
void Load::finish_if_done(std::uint64_t completed) {
  if (completed != target_.load(std::memory_order_acquire) || finished()) return;
  if (window_open_ && !window_closed_) close_window(now_ns());
  const std::lock_guard lock(mutex_);
  finished_.store(true, std::memory_order_release);
  ended_.notify_all();
}

bool Load::wait_for(std::chrono::milliseconds span) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, span, [this] { return finished(); });
}

void Load::note_error(std::string text) {
  const std::lock_guard lock(mutex_);
  if (first_error_.empty()) first_error_ = std::move(text);
}

void Load::account(const Result<Report>& result) {
  if (!result) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return note_error(fmt::format("{}: {}", name_of(result.error().code), result.error().detail));
  }
  if (!result->finished()) note_error(result->gid() + " was answered before it was final");
  ++(result->succeeded() ? succeeded_ : failed_);
  samples_.offer(succeeded_ + failed_, result->gid(), result->status());
}

// With a number of transactions the window closes with the last completion. With a time and a
// closed loop it closes when the time is up. With a time and an open loop it closes with the last
// completion of the transactions that were due in that time: a queue that grew is part of the
// result.
void Load::measure(std::uint64_t due_ns, std::uint64_t now) {
  if (window_closed_) return;
  if (!window_open_) {
    if (!warm_up_over(is_open_loop() ? due_ns : now)) return;
    return open_window(now);
  }
  if (!is_open_loop() && settings_.transactions == 0 && now >= end_ns_) return close_window(now);
  const auto latency = now - due_ns;
  ++window_.transactions;
  if (!slice_) return window_.latencies.record(latency);
  slice_->latencies.record(latency);
  if (now - slice_->from_ns >= nanoseconds(settings_.interval_s)) roll_slice(now);
}

bool Load::warm_up_over(std::uint64_t now) const noexcept {
  if (settings_.transactions == 0) return now >= warm_until_ns_;
  return completed_.load(std::memory_order_relaxed) >= settings_.transactions / 10;
}

void Load::open_window(std::uint64_t now) {
  window_open_ = true;
  window_.from_ns = now;
  window_.at_start = engine_.counters();
  window_.cpu_at_start = cpu_seconds();
  window_.storage_at_start = storage_bytes_written();
  if (settings_.interval_s <= 0) return;
  slice_ = std::make_unique<Slice>();
  slice_->from_ns = now;
}

void Load::close_window(std::uint64_t now) {
  window_closed_ = true;
  window_.until_ns = now;
  window_.at_end = engine_.counters();
  window_.cpu_at_end = cpu_seconds();
  window_.storage_at_end = storage_bytes_written();
  if (slice_ && slice_->latencies.count() > 0) roll_slice(now);
  slice_.reset();
}

void Load::roll_slice(std::uint64_t now) {
  window_.latencies.add(slice_->latencies);
  slice_->until_ns = now;
  slice_->log_bytes = engine_.counters().log_bytes;
  auto next = std::make_unique<Slice>();
  next->from_ns = now;
  const std::lock_guard lock(mutex_);
  slices_.push_back(std::exchange(slice_, std::move(next)));
}

std::unique_ptr<Slice> Load::take_slice() {
  const std::lock_guard lock(mutex_);
  if (slices_.empty()) return nullptr;
  auto slice = std::move(slices_.front());
  slices_.pop_front();
  return slice;
}

void Load::top_up(std::uint64_t now) {
  while (may_submit(now)) {
    if (submitted() - completed() >= settings_.in_flight) return;
    submit_next(now);
  }
  target_.store(submitted(), std::memory_order_release);
}

// A refusal ends a closed loop: the next submit would be refused for the same reason, and the run
// is invalid.
bool Load::may_submit(std::uint64_t now) const noexcept {
  if (refused() > 0) return false;
  return settings_.transactions > 0 ? submitted() < settings_.transactions : now < end_ns_;
}

}  // namespace belay::bench
