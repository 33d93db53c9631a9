#include "unit/core/story.h"

#include <algorithm>

#include "core/ops.h"

namespace belay::test {

Retry retry_of_plans(std::uint32_t limit) {
  return {.first_interval = Millis{10},
          .multiplier = 2.0,
          .interval_max = Millis{30},
          .jitter = 0.0,
          .limit = limit,
          .ongoing_interval = Millis{7}};
}

const WorkflowEnd& end_of_plans(bool well) {
  static const WorkflowEnd good{.status = Status::succeed, .result = "result"};
  static const WorkflowEnd bad{.status = Status::failed, .reason = "no funds"};
  return well ? good : bad;
}

void Calls::open() {
  parked = retries = false;
  unanswered = 0;
  not_before = 0;
}

void Calls::resume(bool is_open, std::uint64_t now) {
  if (out) retries = is_open && not_before > now;
  out.reset();
}

void Calls::unended(OutcomeKind outcome, bool again, std::uint64_t now) {
  static constexpr std::array<std::uint64_t, 3> kWaits = {10, 20, 30};  // retry_of_plans
  if (outcome == OutcomeKind::ongoing) {
    unanswered = 0;
    not_before = now + 7;
  } else {
    not_before = now + kWaits[std::min<std::size_t>(unanswered++, 2)];
  }
  retries = again;
}

bool Awaited::takes(const core::Record& answered) {
  const std::pair one{answered.branch, answered.op};
  if (empty_ == one) return empty_.reset(), answered.outcome == OutcomeKind::success;
  const auto event = std::exchange(event_, std::nullopt);
  return event && std::pair{event->branch, event->op} == one &&
         event->outcome->kind() == answered.outcome;
}

TimelineCheck::TimelineCheck(core::RecordKind first, std::uint64_t at) {
  told_.push_back({first, at, 0, Op::action, OutcomeKind::success});
}

void TimelineCheck::record(const core::Record& record, std::uint64_t now, std::size_t branches) {
  using core::RecordKind;
  if (record.kind == RecordKind::started || record.kind == RecordKind::scheduled) return;
  auto branch = record.branch;
  if (record.kind == RecordKind::added) branch = static_cast<std::uint32_t>(branches);
  if (record.kind == RecordKind::progressed) branch = steps_++;
  told_.push_back({record.kind, now, branch, record.op, record.outcome});
}

// An event stands for as many tellings in a row as it repeats.
bool TimelineCheck::is_told_by(const core::TimelineEvent& event, std::size_t& at) const {
  for (std::uint32_t i = 0; i < event.repeats; ++i, ++at) {
    if (at == told_.size()) return false;
    const auto& told = told_[at];
    if (event.kind != told.kind || event.branch != told.branch || event.op != told.op) return false;
    if (event.outcome != told.outcome) return false;
  }
  return event.repeats > 0 && event.at == told_[at - 1].at;
}

void TimelineCheck::examine(const core::Transaction& transaction, Findings& findings,
                            const Past& past) const {
  const auto events = core::decode_timeline(transaction.timeline, transaction.created_at);
  std::size_t at = 0;
  const bool all_true =
      events && std::all_of(events->begin(), events->end(),
                            [&](const auto& event) { return is_told_by(event, at); });
  findings.examine(Property::timeline_tells_all, all_true && at == told_.size(), past);
}

}  // namespace belay::test
