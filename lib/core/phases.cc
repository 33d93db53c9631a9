#include "core/phases.h"

#include <algorithm>

#include "base/mark.h"
#include "core/ops.h"
#include "core/retry.h"

namespace belay::core {
namespace {

const ModeOps& ops(const Decision& decision) { return ops_of(decision.transaction().mode()); }

}  // namespace

std::uint64_t next_attempt_at(const Decision& decision, std::uint32_t branch,
                              const Outcome& outcome) {
  const auto retry = decision.retry_of(branch);
  const bool is_well =
      outcome.kind() == OutcomeKind::ongoing || outcome.kind() == OutcomeKind::success;
  const auto interval =
      is_well ? static_cast<std::uint64_t>(retry.ongoing_interval.count())
              : retry_interval_ms(retry, decision.branch(branch).unanswered + 1, decision.random());
  const auto asked = std::clamp(outcome.retry_after(), Millis{0}, retry.interval_max);
  return decision.now() + std::max(interval, static_cast<std::uint64_t>(asked.count()));
}

void first_in_order(Decision& decision) {
  // The loop repeats only for branches without a target, which succeed at once.
  while (decision.transaction().succeeded == decision.transaction().begun &&
         decision.transaction().begun < decision.branch_count()) {
    decision.start(decision.transaction().begun, ops(decision).first);
  }
}

void first_at_once(Decision& decision) {
  for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
    if (decision.branch(i).first == OpState::idle) decision.start(i, ops(decision).first);
  }
}

void confirm_in_order(Decision& decision) {
  for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
    const auto& branch = decision.branch(i);
    if (branch.second == OpState::idle) decision.start(i, ops(decision).commit);
    if (branch.second != OpState::succeeded) return;
  }
}

void confirm_at_once(Decision& decision) {
  for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
    if (decision.branch(i).second == OpState::idle) decision.start(i, ops(decision).commit);
  }
}

bool may_be_undone(const Branch& branch) {
  if (branch.first == OpState::idle || branch.second != OpState::idle) return false;
  if (branch.in_flight) BELAY_MARK(undo_waits_for_call);
  return !branch.in_flight;
}

void undo_in_order(Decision& decision) {
  for (std::uint32_t i = decision.branch_count(); i-- > 0;) {
    const auto& branch = decision.branch(i);
    if (branch.first == OpState::idle) continue;
    if (may_be_undone(branch)) decision.start(i, ops(decision).rollback);
    if (branch.second != OpState::succeeded) return;
  }
}

void undo_at_once(Decision& decision) {
  for (std::uint32_t i = decision.branch_count(); i-- > 0;) {
    if (may_be_undone(decision.branch(i))) decision.start(i, ops(decision).rollback);
  }
}

bool turned_back_by_deadline(Decision& decision) {
  const auto& transaction = decision.transaction();
  const auto deadline = deadline_of(transaction);
  if (deadline == 0 || deadline > decision.now()) return false;
  decision.abort("timeout after " + std::to_string(deadline - transaction.created_at) + " ms");
  return true;
}

FirstPhase first_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  const auto& transaction = decision.transaction();
  const bool forward = transaction.status == ops(decision).first_in;
  const bool ended =
      outcome.kind() == OutcomeKind::success || outcome.kind() == OutcomeKind::failure;
  if (ended || !forward) {
    decision.answered(branch, op, outcome, 0);
    if (!forward) return FirstPhase::turned_back;
    return outcome.kind() == OutcomeKind::success ? FirstPhase::succeeded : FirstPhase::refused;
  }
  const auto limit = decision.retry_of(branch).limit;
  const bool exhausted = outcome.kind() == OutcomeKind::unknown && limit != 0 &&
                         decision.branch(branch).unanswered + 1 >= limit;
  decision.answered(branch, op, outcome,
                    exhausted ? 0 : next_attempt_at(decision, branch, outcome));
  return exhausted ? FirstPhase::refused : FirstPhase::open;
}

std::string refusal(const Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  if (outcome.kind() == OutcomeKind::failure)
    return describe_branch(decision.transaction(), branch, op, outcome.reason());
  return describe_branch(decision.transaction(), branch, op,
                         "no answer after " + std::to_string(decision.branch(branch).unanswered) +
                             " calls; the last: " + outcome.reason());
}

bool last_op_ended(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  const bool ended = outcome.kind() == OutcomeKind::success;
  decision.answered(branch, op, outcome, ended ? 0 : next_attempt_at(decision, branch, outcome));
  return ended;
}

}  // namespace belay::core
