// The saga machine.
//
//   submitted ──── every action succeeded ─────────────────────────► succeed
//       │ an action answers failure, the deadline comes, or an
//       │ action stays without an answer for Retry::limit calls
//       ▼
//   aborting ───── everything that may have run is undone ─────────► failed
//
// Waits in submitted and aborting: for a call, a retry's time, a delayed start or the deadline. All
// else is instant. Forward, a step waits for its predecessors; backward, for whatever waited for
// it. A sequence is the graph in which each step waits for the one before it; concurrent steps wait
// for none.
#include <algorithm>

#include "base/mark.h"
#include "core/decision.h"
#include "core/retry.h"

namespace belay::core {
namespace {

bool all_succeeded(const Decision& decision, const std::vector<std::uint32_t>& branches) {
  return std::all_of(branches.begin(), branches.end(), [&](std::uint32_t i) {
    return decision.branch(i).forward == OpState::succeeded;
  });
}

void start_in_order(Decision& decision) {
  // The loop only goes round for steps without a target, which succeed at once.
  while (decision.transaction().succeeded == decision.transaction().begun &&
         decision.transaction().begun < decision.branch_count()) {
    decision.start(decision.transaction().begun, Op::action);
  }
}

void start_all(Decision& decision) {
  for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
    if (decision.branch(i).forward == OpState::idle) decision.start(i, Op::action);
  }
}

void start_by_graph(Decision& decision) {
  const auto graph = decision.transaction().definition.graph();
  for (bool again = true; again;) {
    again = false;
    for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
      if (decision.branch(i).forward != OpState::idle || !all_succeeded(decision, graph[i]))
        continue;
      decision.start(i, Op::action);
      // had no target: others may be free now
      again = again || decision.branch(i).forward == OpState::succeeded;
    }
  }
}

void go_forward(Decision& decision) {
  const auto& transaction = decision.transaction();
  if (transaction.begun < decision.branch_count()) {
    switch (transaction.definition.shape()) {
      case Shape::sequential: start_in_order(decision); break;
      case Shape::concurrent: start_all(decision); break;
      case Shape::graph: start_by_graph(decision); break;
    }
  }
  if (transaction.succeeded == decision.branch_count()) decision.finish(Status::succeed);
}

// Law 8: not while a call of its own is in flight; that call's end brings us here again.
bool may_be_undone(const Branch& branch) {
  if (branch.forward == OpState::idle || branch.backward != OpState::idle) return false;
  if (branch.in_flight) BELAY_MARK(undo_waits_for_call);
  return !branch.in_flight;
}

void undo_in_order(Decision& decision) {
  const auto& transaction = decision.transaction();
  while (transaction.undone < transaction.begun) {
    const auto last = transaction.begun - transaction.undone - 1;
    if (!may_be_undone(decision.branch(last))) return;
    decision.start(last, Op::compensate);
    if (decision.branch(last).backward != OpState::succeeded) return;
  }
}

void undo_all(Decision& decision) {
  for (std::uint32_t i = decision.branch_count(); i-- > 0;) {
    if (may_be_undone(decision.branch(i))) decision.start(i, Op::compensate);
  }
}

void undo_by_graph(Decision& decision) {
  const auto graph = decision.transaction().definition.graph();
  for (bool again = true; again;) {
    again = false;
    std::vector<bool> held(decision.branch_count());
    for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
      const auto& branch = decision.branch(i);
      if (branch.forward == OpState::idle || branch.backward == OpState::succeeded) continue;
      for (const auto before : graph[i]) held[before] = true;
    }
    for (std::uint32_t i = decision.branch_count(); i-- > 0;) {
      if (held[i] || !may_be_undone(decision.branch(i))) continue;
      decision.start(i, Op::compensate);
      again = again || decision.branch(i).backward == OpState::succeeded;
    }
  }
}

void go_back(Decision& decision) {
  const auto& transaction = decision.transaction();
  switch (transaction.definition.shape()) {
    case Shape::sequential: undo_in_order(decision); break;
    case Shape::concurrent: undo_all(decision); break;
    case Shape::graph: undo_by_graph(decision); break;
  }
  if (transaction.undone == transaction.begun) decision.finish(Status::failed);
}

void on_submitted(Decision& decision) {
  if (start_of(decision.transaction()) <= decision.now()) go_forward(decision);
}

void on_due(Decision& decision) {
  const auto& transaction = decision.transaction();
  if (transaction.status == Status::aborting) return go_back(decision);
  if (transaction.status != Status::submitted) return;
  const auto deadline = deadline_of(transaction);
  if (deadline != 0 && deadline <= decision.now()) {
    decision.abort("timeout after " + std::to_string(deadline - transaction.created_at) + " ms");
    return go_back(decision);
  }
  if (transaction.begun == 0 && start_of(transaction) <= decision.now()) go_forward(decision);
}

// When a call that ended nothing is made again.
std::uint64_t next_attempt_at(const Decision& decision, std::uint32_t branch,
                              const Outcome& outcome) {
  const auto retry = decision.retry_of(branch);
  if (outcome.kind() == OutcomeKind::ongoing) {
    return decision.now() + static_cast<std::uint64_t>(retry.ongoing_interval.count());
  }
  return decision.now() +
         retry_interval_ms(retry, decision.branch(branch).unanswered + 1, decision.random());
}

void on_action_answered(Decision& decision, std::uint32_t branch, const Outcome& outcome) {
  const auto& transaction = decision.transaction();
  const bool forward = transaction.status == Status::submitted;
  const bool ended =
      outcome.kind() == OutcomeKind::success || outcome.kind() == OutcomeKind::failure;
  if (ended || !forward) {
    decision.answered(branch, Op::action, outcome, 0);
  } else {
    const auto limit = decision.retry_of(branch).limit;
    const bool exhausted = outcome.kind() == OutcomeKind::unknown && limit != 0 &&
                           decision.branch(branch).unanswered + 1 >= limit;
    decision.answered(branch, Op::action, outcome,
                      exhausted ? 0 : next_attempt_at(decision, branch, outcome));
    if (!exhausted) return;
  }
  if (forward && outcome.kind() == OutcomeKind::success) return go_forward(decision);
  if (forward && outcome.kind() == OutcomeKind::failure) {
    decision.abort(describe_branch(transaction, branch, Op::action, outcome.reason()));
  } else if (forward) {
    decision.abort(describe_branch(transaction, branch, Op::action,
                                   "no answer after " +
                                       std::to_string(decision.branch(branch).unanswered) +
                                       " calls; the last: " + outcome.reason()));
  }
  go_back(decision);
}

// Only success ends an undo: whatever else it answers, it is asked again, for ever, and shows as
// stuck.
void on_compensation_answered(Decision& decision, std::uint32_t branch, const Outcome& outcome) {
  if (outcome.kind() != OutcomeKind::success) {
    decision.answered(branch, Op::compensate, outcome, next_attempt_at(decision, branch, outcome));
    return;
  }
  decision.answered(branch, Op::compensate, outcome, 0);
  go_back(decision);
}

void on_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  if (op == Op::action) {
    on_action_answered(decision, branch, outcome);
  } else {
    on_compensation_answered(decision, branch, outcome);
  }
}

}  // namespace

const Machine kSagaMachine = {on_submitted, on_due, on_answered};

}  // namespace belay::core
