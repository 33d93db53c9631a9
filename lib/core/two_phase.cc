// The machine for tcc and xa.
//
//   prepared ───── every first op succeeded (driven: and its caller submits) ──► submitted
//       │ a first op answers failure or stays without an answer for               │ every branch is
//       │ Retry::limit calls, the deadline comes, its caller aborts               ▼ confirmed
//       ▼                                                                      succeed
//   aborting ───── everything that may have been tried is cancelled ───────────► failed
//
// A driven transaction gets its branches one by one; if a branch answers failure, its caller is
// informed and decides. The machine waits in prepared for a call, a retry's time, the caller's
// decision or the deadline; in submitted and aborting for a call or a retry's time. Everything else
// happens at once.
#include "core/decision.h"
#include "core/ops.h"
#include "core/phases.h"

namespace belay::core {
namespace {

bool in_order(const Decision& decision) {
  return decision.transaction().definition.shape() == Shape::sequential;
}

void confirm(Decision& decision) {
  in_order(decision) ? confirm_in_order(decision) : confirm_at_once(decision);
  if (decision.transaction().second_done == decision.branch_count())
    decision.finish(Status::succeed);
}

void cancel(Decision& decision) {
  in_order(decision) ? undo_in_order(decision) : undo_at_once(decision);
  if (decision.transaction().second_done == decision.transaction().begun)
    decision.finish(Status::failed);
}

// A driven branch is tried when it is added, whatever happened to the branches before it.
void try_branches(Decision& decision) {
  const auto& transaction = decision.transaction();
  if (transaction.driven) {
    for (auto i = transaction.begun; i < decision.branch_count(); ++i) {
      decision.start(i, current_op(transaction, i));
      if (decision.branch(i).first == OpState::succeeded) decision.tell_branch(i);
    }
    return;
  }
  in_order(decision) ? first_in_order(decision) : first_at_once(decision);
  if (transaction.succeeded != decision.branch_count()) return;
  decision.commit();
  confirm(decision);
}

void two_phase_due(Decision& decision) {
  switch (decision.transaction().status) {
    case Status::prepared:
      turned_back_by_deadline(decision) ? cancel(decision) : try_branches(decision);
      break;
    case Status::submitted: confirm(decision); break;
    case Status::aborting: cancel(decision); break;
    case Status::succeed:
    case Status::failed: break;
  }
}

void on_tried(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  const bool driven = decision.transaction().driven;
  const auto answer = first_answered(decision, branch, op, outcome);
  const bool failure = outcome.kind() == OutcomeKind::failure;
  switch (answer) {
    case FirstPhase::open: break;
    case FirstPhase::succeeded:
      driven ? decision.tell_branch(branch) : try_branches(decision);
      break;
    case FirstPhase::refused:
      if (driven && failure) {
        decision.tell_branch(branch);
        break;
      }
      decision.abort(refusal(decision, branch, op, outcome));
      [[fallthrough]];
    case FirstPhase::turned_back: cancel(decision); break;
  }
}

void two_phase_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  if (phase_of(op) == Phase::first) return on_tried(decision, branch, op, outcome);
  if (last_op_ended(decision, branch, op, outcome)) two_phase_due(decision);
}

}  // namespace

const Machine kTwoPhaseMachine = {two_phase_due, two_phase_answered};

}  // namespace belay::core
