// Goal: no order of answers, words, faults, wake-ups and crashes makes a tcc or an xa break a
// promise.
// Method: all histories of small ones, enumerated and not sampled; a story told from the plan alone
// judges each step.
#include <doctest/doctest.h>

#include "support/choices.h"
#include "unit/core/proof.h"
#include "unit/core/two_phase_story.h"

namespace belay::test {
namespace {

// One or two declared branches: one or two unanswered calls, a missing handler and a crash.
void explore_declared(Proof& proof) {
  for (Choices pick; !pick.done();) {
    TwoPhasePlan plan{.mode = pick.coin() ? Mode::xa : Mode::tcc, .in_order = pick.coin()};
    plan.brought = 1 + pick.below(2);
    plan.retry_limit = pick.below(3);
    plan.timeout = plan.retry_limit == 0 ? 0 : 25;
    const std::uint32_t unanswered = plan.retry_limit == 2 ? 2 : 1;
    proof.explore(plan, {.unanswered = unanswered, .unregistered = 1, .crashes = 1});
    if (plan.retry_limit != 2)
      proof.explore(plan, {.unanswered = 1, .unregistered = 1, .crashes = 1, .operator_words = 1});
  }
}

// None to two branches that its caller adds, after those it brought.
void explore_driven(Proof& proof) {
  for (Choices pick; !pick.done();) {
    TwoPhasePlan plan{.driven = true, .in_order = pick.coin()};
    plan.brought = pick.below(2);
    plan.added = pick.below(3 - plan.brought);
    plan.retry_limit = pick.below(2);
    plan.timeout = plan.retry_limit == 0 ? 0 : 25;
    proof.explore(plan, {.unanswered = 1, .unregistered = 1, .crashes = 1});
    proof.explore(plan, {.unanswered = 1, .unregistered = 0, .crashes = 1, .operator_words = 1});
    plan.mode = Mode::xa;
    plan.retry_limit = 2;
    proof.explore(plan, {.unanswered = 2, .unregistered = 0, .crashes = 0});
  }
}

// Every mixture of missing targets; of three branches in order only, where one bears on the next.
void explore_two_phase_with_gaps(Proof& proof) {
  for (const std::uint32_t count : {1u, 2u, 3u}) {
    for (Choices pick; !pick.done();) {
      TwoPhasePlan plan{.driven = pick.coin(), .in_order = count == 3 || pick.coin()};
      (plan.driven ? plan.added : plan.brought) = count;
      plan.empty_first = pick.below(1u << count);
      plan.empty_commit = pick.below(1u << count);
      plan.empty_rollback = pick.below(1u << count);
      const std::uint32_t crashes = count < 3 ? 1 : 0;
      proof.explore(plan, {.unanswered = 0, .unregistered = 0, .crashes = crashes});
    }
  }
}

// Three branches, declared and driven.
void explore_two_phase_of_three(Proof& proof) {
  for (Choices pick; !pick.done();) {
    TwoPhasePlan plan{.driven = pick.coin(), .in_order = pick.coin()};
    plan.brought = plan.driven ? 2 * pick.below(2) : 3;
    plan.added = 3 - plan.brought;
    plan.timeout = 25;
    plan.retry_limit = 1;
    proof.explore(plan, {.unanswered = 1, .unregistered = 0, .crashes = 1});
    plan.timeout = 0;
    plan.retry_limit = 0;
    proof.explore(plan, {.unanswered = 1, .unregistered = 1, .crashes = 0});
  }
}

const Proof& two_phase_proof() {
  static const Proof one = [] {
    Proof made;
    explore_declared(made);
    explore_driven(made);
    explore_two_phase_with_gaps(made);
    explore_two_phase_of_three(made);
    return made;
  }();
  return one;
}

}  // namespace

TEST_SUITE("core/two_phase") {
#define BELAY_X(name, sentence) \
  TEST_CASE(sentence) { check_holds(two_phase_proof(), Property::name, 1000); }
  BELAY_TWO_PHASE_PROPERTIES(BELAY_X)
  BELAY_DRIVEN_PROPERTIES(BELAY_X)
  BELAY_SHARED_PROPERTIES(BELAY_X)
#undef BELAY_X

  TEST_CASE("the histories of small tcc and xa transactions are all there") {
    check_counts(two_phase_proof(), 1'000'000, 10'000);
  }
}

}  // namespace belay::test
