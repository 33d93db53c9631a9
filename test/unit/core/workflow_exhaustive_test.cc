// Goal: no order of steps, ends, answers, faults, wake-ups and crashes makes a workflow break a
// promise.
// Method: all histories of small ones, enumerated and not sampled; a story told from the plan alone
// judges each step.
#include <doctest/doctest.h>

#include "support/choices.h"
#include "unit/core/proof.h"
#include "unit/core/workflow_story.h"

namespace belay::test {
namespace {

const Proof& workflow_proof() {
  static const Proof one = [] {
    Proof made;
    for (Choices pick; !pick.done();) {
      WorkflowPlan plan;
      plan.has_callback = pick.coin();
      plan.steps = pick.below(4);
      plan.retry_limit = pick.below(2);
      plan.timeout = plan.retry_limit == 0 ? 0 : 25;
      const bool is_deep = pick.coin();
      made.explore(
          plan,
          is_deep ? Faults{.unanswered = 4, .unregistered = 0, .crashes = 1}
                  : Faults{.unanswered = 2, .unregistered = 1, .crashes = 2, .operator_words = 1});
    }
    return made;
  }();
  return one;
}

}  // namespace

TEST_SUITE("core/workflow") {
#define BELAY_X(name, sentence) \
  TEST_CASE(sentence) { check_holds(workflow_proof(), Property::name, 100); }
  BELAY_WORKFLOW_PROPERTIES(BELAY_X)
  BELAY_SHARED_PROPERTIES(BELAY_X)
#undef BELAY_X

  TEST_CASE("the histories of small workflows are all there") {
    check_counts(workflow_proof(), 100'000, 1'000);
  }
}

}  // namespace belay::test
