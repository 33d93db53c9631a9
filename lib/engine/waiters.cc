#include "engine/waiters.h"

#include <utility>

#include "base/mark.h"
#include "core/apply.h"

namespace belay::engine {
namespace {

TimePoint time_point(std::uint64_t ms) { return TimePoint(Millis(static_cast<std::int64_t>(ms))); }

}  // namespace

Report report_of(const Live& live, bool joined) {
  const auto& transaction = live.transaction;
  return Report({.gid = std::string(transaction.gid()),
                 .mode = transaction.mode(),
                 .status = transaction.status,
                 .stuck = live.stuck,
                 .reason = std::string(core::reason_of(transaction)),
                 .created_at = time_point(transaction.created_at),
                 .finished_at = time_point(transaction.finished() ? transaction.updated_at : 0),
                 .joined = joined});
}

Report report_of(const ports::StoredSummary& stored, bool joined) {
  return Report({.gid = stored.gid,
                 .mode = stored.mode,
                 .status = stored.status,
                 .stuck = false,
                 .reason = stored.reason,
                 .created_at = time_point(stored.created_at),
                 .finished_at = time_point(stored.finished_at),
                 .joined = joined});
}

void drop_late_waiters(Live& live, std::uint64_t monotonic) {
  if (!live.waiters) return;
  for (auto& waiter : *live.waiters) {
    if (waiter.until != 0 && waiter.until <= monotonic) {
      waiter.done(Error{ErrorCode::timed_out, "the transaction is not finished yet"});
      waiter.done = nullptr;
    }
  }
  std::erase_if(*live.waiters, [](const Waiter& waiter) { return !waiter.done; });
  if (live.waiters->empty()) live.waiters.reset();
}

void tell_waiters(Live& live, bool final_ones) {
  if (!live.waiters) return;
  const auto waiters = std::move(live.waiters);
  const Result<Report> result(report_of(live, false));
  for (auto& waiter : *waiters) {
    if (waiter.wants_final && !final_ones) {
      live.add_waiter(std::move(waiter));
    } else {
      waiter.done(waiter.joined ? Result<Report>(report_of(live, true)) : result);
    }
  }
}

bool tell_accepted_waiters(Live& live, core::Lsn durable) {
  BELAY_MARK(went_on_before_told);
  if (!live.waiters) return false;
  const auto waiters = std::move(live.waiters);
  bool left = false;
  for (auto& waiter : *waiters) {
    if (waiter.as_of && waiter.lsn <= durable) {
      waiter.done(std::move(*waiter.as_of));
    } else {
      left = left || !(waiter.wants_final || waiter.as_of);
      live.add_waiter(std::move(waiter));
    }
  }
  return left;
}

void note_branches(Live& live) {
  if (!live.branch_waiters) return;
  for (auto& waiter : *live.branch_waiters) {
    if (waiter.outcome) continue;
    waiter.outcome = core::first_phase_outcome(live.transaction, waiter.branch);
    waiter.lsn = live.last_lsn;
  }
}

void tell_branches(Live& live, core::Lsn durable) {
  if (!live.branch_waiters) return;
  auto waiters = std::move(*live.branch_waiters);
  live.branch_waiters->clear();
  for (auto& waiter : waiters) {
    if (waiter.outcome && waiter.lsn <= durable) {
      if (waiter.outcome->kind() == OutcomeKind::unknown) BELAY_MARK(branch_told_by_abort);
      waiter.done(std::move(*waiter.outcome));
    } else {
      live.branch_waiters->push_back(std::move(waiter));
    }
  }
}

void end_waiters(Live& live, const Error& error) {
  if (const auto waiters = std::move(live.waiters)) {
    for (const auto& waiter : *waiters) waiter.done(error);
  }
  if (const auto waiters = std::move(live.branch_waiters)) {
    for (const auto& waiter : *waiters) waiter.done(error);
  }
}

}  // namespace belay::engine
