// The machine for sagas.
//
//   prepared ───── its caller submits ─────────────────────────────► submitted
//       │ its caller aborts, or the deadline comes
//       ▼
//   aborting ───── nothing has run ────────────────────────────────► failed
//
//   submitted ──── every action succeeded ─────────────────────────► succeed
//       │ an action answers failure, the deadline comes, or an
//       │ action stays without an answer for Retry::limit calls
//       ▼
//   aborting ───── everything that may have run is undone ─────────► failed
//
// The machine waits in prepared for its caller's decision or the deadline, in submitted and
// aborting for a call, a retry's time, a delayed start or the deadline. Everything else happens at
// once. Forward, a step waits for its predecessors; backward, for the steps that waited for it. A
// sequence is a graph in which each step waits for the one before it; concurrent steps wait for
// none.
#include <algorithm>

#include "core/decision.h"
#include "core/phases.h"

namespace belay::core {
namespace {

bool all_succeeded(const Decision& decision, const std::vector<std::uint32_t>& branches) {
  return std::all_of(branches.begin(), branches.end(), [&](std::uint32_t i) {
    return decision.branch(i).first == OpState::succeeded;
  });
}

void start_by_graph(Decision& decision) {
  const auto graph = decision.transaction().definition.graph();
  for (bool again = true; again;) {
    again = false;
    for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
      if (decision.branch(i).first != OpState::idle || !all_succeeded(decision, graph[i])) continue;
      decision.start(i, Op::action);
      // The branch had no target: now others may start.
      again = again || decision.branch(i).first == OpState::succeeded;
    }
  }
}

void go_forward(Decision& decision) {
  const auto& transaction = decision.transaction();
  if (transaction.begun < decision.branch_count()) {
    switch (transaction.definition.shape()) {
      case Shape::sequential: first_in_order(decision); break;
      case Shape::concurrent: first_at_once(decision); break;
      case Shape::graph: start_by_graph(decision); break;
    }
  }
  if (transaction.succeeded == decision.branch_count()) decision.finish(Status::succeed);
}

void undo_by_graph(Decision& decision) {
  const auto graph = decision.transaction().definition.graph();
  for (bool again = true; again;) {
    again = false;
    std::vector<bool> held(decision.branch_count());
    for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
      const auto& branch = decision.branch(i);
      if (branch.first == OpState::idle || branch.second == OpState::succeeded) continue;
      for (const auto before : graph[i]) held[before] = true;
    }
    for (std::uint32_t i = decision.branch_count(); i-- > 0;) {
      if (held[i] || !may_be_undone(decision.branch(i))) continue;
      decision.start(i, Op::compensate);
      again = again || decision.branch(i).second == OpState::succeeded;
    }
  }
}

void go_back(Decision& decision) {
  const auto& transaction = decision.transaction();
  switch (transaction.definition.shape()) {
    case Shape::sequential: undo_in_order(decision); break;
    case Shape::concurrent: undo_at_once(decision); break;
    case Shape::graph: undo_by_graph(decision); break;
  }
  if (transaction.second_done == transaction.begun) decision.finish(Status::failed);
}

void saga_due(Decision& decision) {
  const auto& transaction = decision.transaction();
  if (transaction.finished()) return;
  if (transaction.status == Status::aborting || turned_back_by_deadline(decision))
    return go_back(decision);
  if (transaction.status == Status::prepared) return;
  if (transaction.begun == 0 && decision.is_time(transaction.start_at)) go_forward(decision);
}

void saga_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  if (op == Op::compensate) {
    if (last_op_ended(decision, branch, op, outcome)) go_back(decision);
    return;
  }
  switch (first_answered(decision, branch, op, outcome)) {
    case FirstPhase::open: break;
    case FirstPhase::succeeded: go_forward(decision); break;
    case FirstPhase::refused:
      decision.abort(refusal(decision, branch, op, outcome));
      [[fallthrough]];
    case FirstPhase::turned_back: go_back(decision); break;
  }
}

}  // namespace

const Machine kSagaMachine = {saga_due, saga_answered};

}  // namespace belay::core
