// The machine for a transaction that an operator stopped, whatever its mode.
//
//   prepared, submitted, aborting ───── the last call in flight has returned ─────► failed
//
// Finished operations of the branches are not undone. The machine waits only for calls in flight:
// calls that wait for a place are withdrawn.
#include "core/decision.h"

namespace belay::core {
namespace {

void stopped_due(Decision& decision) {
  if (decision.transaction().finished()) return;
  for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
    if (decision.branch(i).in_flight) return;
  }
  decision.finish(Status::failed);
}

void stopped_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  decision.answered(branch, op, outcome, 0);
  stopped_due(decision);
}

}  // namespace

const Machine kStoppedMachine = {stopped_due, stopped_answered};

}  // namespace belay::core
