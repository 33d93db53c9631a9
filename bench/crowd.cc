#include "crowd.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "watch.h"

namespace belay::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSubmitsInFlight = 1024;
constexpr Millis kCrowdLook = 20ms;
constexpr Millis kRest = 1h;  // longer than any run

Saga crowd_saga(const Settings& settings) {
  const std::string payload(settings.payload_bytes, 'x');
  Saga saga;
  for (std::uint32_t i = 1; i < settings.branches; ++i)
    saga.step("bench.first", "bench.undo", payload);
  saga.step("bench.last", "bench.undo", payload);
  if (settings.unfinished == Unfinished::delayed) saga.delay(kRest);
  return saga;
}

}  // namespace

Crowd::Crowd(const Settings& settings) : settings_(settings), saga_(crowd_saga(settings)) {}

Options Crowd::options(std::uint64_t count) const {
  Options options;
  options.retry.ongoing_interval = kRest;
  options.limits.live_bytes_max = ~std::size_t{0};
  options.limits.live_transactions_max =
      std::max<std::size_t>(options.limits.live_transactions_max, count);
  return options;
}

Result<> Crowd::register_unfinished(Engine& engine) {
  BELAY_TRY(engine.handle("bench.first", &first, this));
  if (settings_.unfinished == Unfinished::parked) return {};
  return engine.handle("bench.last", &last_ongoing, this);
}

Result<> Crowd::register_finishing(Engine& engine) {
  BELAY_TRY(engine.handle("bench.first", &first, this));
  return engine.handle("bench.last", &last_done, this);
}

Outcome Crowd::first(const Call&, void* self) {
  static_cast<Crowd*>(self)->first_calls_.fetch_add(1, std::memory_order_relaxed);
  return Outcome::success();
}

Outcome Crowd::last_ongoing(const Call&, void* self) {
  static_cast<Crowd*>(self)->last_calls_.fetch_add(1, std::memory_order_relaxed);
  return Outcome::ongoing();
}

Outcome Crowd::last_done(const Call&, void* self) {
  static_cast<Crowd*>(self)->last_calls_.fetch_add(1, std::memory_order_relaxed);
  return Outcome::success();
}

void Crowd::submit_next(Engine& engine) {
  ++submitted_;
  const auto taken = engine.submit(
      saga_, [this, &engine](const Result<Report>& result) { on_accepted(engine, result); });
  if (!taken) on_refused(taken.error());
}

void Crowd::on_refused(const Error& error) {
  if (refused_.load(std::memory_order_acquire) == 0) first_error_ = error.detail;
  refused_.fetch_add(1, std::memory_order_release);
}

void Crowd::on_accepted(Engine& engine, const Result<Report>& result) {
  if (!result) return on_refused(result.error());
  samples_.offer(accepted_.load(std::memory_order_relaxed) + 1, result->gid(), Status::submitted);
  const auto accepted = accepted_.fetch_add(1, std::memory_order_release) + 1;
  while (submitted_ < wanted_ && submitted_ - accepted < kSubmitsInFlight && refused_ == 0) {
    submit_next(engine);
  }
}

std::string Crowd::strange_calls() const {
  const bool starts = settings_.unfinished != Unfinished::delayed;
  const bool answers = settings_.unfinished == Unfinished::ongoing;
  const std::uint64_t firsts = starts ? wanted_ * (settings_.branches - 1) : 0;
  const std::uint64_t lasts = answers ? wanted_ : 0;
  if (first_calls_ == firsts && last_calls_ == lasts) return {};
  return fmt::format("{} first and {} last branches were called instead of {} and {}",
                     first_calls(), last_calls(), firsts, lasts);
}

bool Crowd::is_at_rest(const Counters& counters) const {
  if (accepted_.load(std::memory_order_acquire) != wanted_ || counters.live != wanted_)
    return false;
  switch (settings_.unfinished) {
    case Unfinished::ongoing: return last_calls_ >= wanted_;
    case Unfinished::parked: return counters.stuck >= wanted_;
    case Unfinished::delayed: return true;
  }
  return false;
}

Result<> Crowd::grow(Engine& engine, std::uint64_t count) {
  wanted_ = count;
  submit_next(engine);

  // At rest, which means: no new record or commit in three checks.
  unsigned quiet = 0;
  const auto is_done = [&](const Counters& counters, bool moved) {
    if (refused_.load(std::memory_order_acquire) > 0) return true;
    quiet = !moved && is_at_rest(counters) ? quiet + 1 : 0;
    return quiet == 3;
  };
  const bool at_rest = watch(engine, kCrowdLook, is_done);
  if (refused_.load(std::memory_order_acquire) > 0)
    return Error{ErrorCode::busy, "refused: " + first_error_};
  if (at_rest) return {};
  const auto counters = engine.counters();
  return Error{ErrorCode::timed_out,
               fmt::format("stalled with {} of {} live, {} stuck, {} last branches called",
                           counters.live, wanted_, counters.stuck, last_calls())};
}

}  // namespace belay::bench
