// Goal: no order of answers, faults, wake-ups and crashes makes a saga break a promise.
// Method: all histories of small sagas, enumerated and not sampled; a story told from the plan
// alone judges each step.
#include <doctest/doctest.h>

#include <initializer_list>

#include "support/choices.h"
#include "unit/core/proof.h"
#include "unit/core/saga_story.h"

namespace belay::test {
namespace {

// One or two branches: one or two unanswered calls, a missing handler and a crash.
void explore_small_sagas(Proof& proof) {
  for (const std::uint32_t count : {1u, 2u}) {
    const auto shapes = all_shapes(count);
    for (Choices pick; !pick.done();) {
      SagaPlan plan = pick.one_of(shapes);
      plan.retry_limit = pick.below(3);
      plan.timeout = plan.retry_limit == 0 ? 0 : 25;
      const std::uint32_t unanswered = plan.retry_limit == 2 ? 2 : 1;
      proof.explore(plan, {.unanswered = unanswered, .unregistered = 1, .crashes = 1});
      proof.explore(plan, {.unanswered = 1, .unregistered = 1, .crashes = 1, .operator_words = 1});
    }
  }
}

// A delayed start, before the deadline, with it and behind it.
void explore_delayed_sagas(Proof& proof) {
  const auto shapes = all_shapes(2);
  for (Choices pick; !pick.done();) {
    SagaPlan plan = pick.one_of(shapes);
    plan.delay = pick.one_of({5u, 25u, 50u});
    plan.timeout = pick.coin() ? 25 : 0;
    proof.explore(plan, {.unanswered = 1, .unregistered = 0, .crashes = 1});
    if (plan.delay == 5) proof.explore(plan, {.unanswered = 1, .crashes = 1, .operator_words = 2});
  }
}

// Every mixture of missing targets.
void explore_sagas_with_gaps(Proof& proof) {
  for (const std::uint32_t count : {1u, 2u, 3u}) {
    const auto shapes = all_shapes(count);
    for (Choices pick; !pick.done();) {
      SagaPlan plan = pick.one_of(shapes);
      plan.empty_actions = pick.below(1u << count);
      plan.empty_compensations = pick.below(1u << count);
      plan.timeout = 25;
      const std::uint32_t crashes = count < 3 ? 1 : 0;
      proof.explore(plan, {.unanswered = 0, .unregistered = 0, .crashes = crashes});
    }
  }
}

// Three branches in every shape.
void explore_sagas_of_three(Proof& proof) {
  for (SagaPlan plan : all_shapes(3)) {
    plan.timeout = 25;
    plan.retry_limit = 1;
    proof.explore(plan, {.unanswered = 1, .unregistered = 0, .crashes = 1});
    plan.timeout = 0;
    proof.explore(plan, {.unanswered = 1, .unregistered = 1, .crashes = 0});
  }
}

// Prepared: its caller submits or aborts, or the deadline comes; then as any other.
void explore_prepared_sagas(Proof& proof) {
  for (const std::uint32_t count : {1u, 2u}) {
    const auto shapes = all_shapes(count);
    for (Choices pick; !pick.done();) {
      SagaPlan plan = pick.one_of(shapes);
      plan.driven = true;
      plan.timeout = pick.coin() ? 25 : 0;
      plan.delay = pick.coin() ? 5 : 0;
      proof.explore(plan, {.unanswered = 1, .unregistered = 0, .crashes = 1, .operator_words = 1});
    }
  }
}

const Proof& saga_proof() {
  static const Proof one = [] {
    Proof made;
    explore_small_sagas(made);
    explore_delayed_sagas(made);
    explore_sagas_with_gaps(made);
    explore_sagas_of_three(made);
    explore_prepared_sagas(made);
    return made;
  }();
  return one;
}

}  // namespace

TEST_SUITE("core/saga") {
#define BELAY_X(name, sentence) \
  TEST_CASE(sentence) { check_holds(saga_proof(), Property::name, 1000); }
  BELAY_SAGA_PROPERTIES(BELAY_X)
  BELAY_SHARED_PROPERTIES(BELAY_X)
#undef BELAY_X

// A prepared saga has few states: nothing runs.
#define BELAY_X(name, sentence) \
  TEST_CASE(sentence) { check_holds(saga_proof(), Property::name, 40); }
  BELAY_DRIVEN_PROPERTIES(BELAY_X)
#undef BELAY_X

  TEST_CASE("the histories of small sagas are all there") {
    check_counts(saga_proof(), 1'000'000, 10'000);
    CHECK(all_shapes(1).size() == 3);
    CHECK(all_shapes(2).size() == 2 + 3);
    CHECK(all_shapes(3).size() ==
          2 + 25);  // the 25 labelled graphs on three nodes that have no cycle
  }
}

}  // namespace belay::test
