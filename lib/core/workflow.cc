// The machine for workflows.
//
//   prepared ───── its owner ends it ─────────────────────► succeed or failed
//
// The owner runs the steps and records them; the machine decides nothing about them. The machine
// waits until the owner ends the workflow; meanwhile it waits for a time to call the owner back,
// and for that call. Whatever the callback answers, the owner is called again, since a crash may
// follow the answer. The owner often ends the workflow inside the callback: the end does not wait
// for that call, and the answer of the call then changes nothing.
#include "core/decision.h"
#include "core/phases.h"
#include "core/retry.h"

namespace belay::core {
namespace {

constexpr std::uint32_t kCallback = 0;

void workflow_due(Decision& decision) {
  if (decision.transaction().finished() || awaits_word_only(decision.transaction())) return;
  if (decision.branch(kCallback).first != OpState::idle) return;
  const auto wait = retry_interval_ms(decision.retry_of(kCallback), 1, decision.random());
  decision.schedule(kCallback, Op::query, decision.now() + wait);
}

void workflow_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  if (decision.transaction().finished()) return;
  decision.answered(branch, op, outcome, next_attempt_at(decision, branch, outcome));
}

}  // namespace

const Machine kWorkflowMachine = {workflow_due, workflow_answered};

}  // namespace belay::core
