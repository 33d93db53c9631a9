// Goal: no order of answers, words, back-checks, faults, wake-ups and crashes makes a message break
// a promise.
// Method: all histories of small ones, enumerated and not sampled; a story told from the plan alone
// judges each step.
#include <doctest/doctest.h>

#include "support/choices.h"
#include "unit/core/msg_story.h"
#include "unit/core/proof.h"

namespace belay::test {
namespace {

using Delivery = MsgPlan::Delivery;

MsgPlan any_plan(Choices& pick) {
  MsgPlan plan;
  plan.driven = pick.coin();
  plan.concurrent = pick.coin();
  plan.has_query = pick.coin();  // submitted at once, it is never asked
  return plan;
}

// One or two deliveries: two unanswered calls, a missing handler and a crash.
void explore_small_messages(Proof& proof) {
  for (Choices pick; !pick.done();) {
    auto plan = any_plan(pick);
    plan.deliveries.resize(1 + pick.below(2));
    plan.retry_limit = pick.below(2);
    plan.timeout = plan.retry_limit == 0 ? 0 : 25;
    proof.explore(plan, {.unanswered = 2, .unregistered = 1, .crashes = 1});
  }
}

// A delayed start, before the deadline, with it and behind it.
void explore_delayed_messages(Proof& proof) {
  for (Choices pick; !pick.done();) {
    auto plan = any_plan(pick);
    plan.deliveries.resize(2);
    plan.deliveries[0].kind = pick.coin() ? DeliveryKind::empty : DeliveryKind::plain;
    plan.delay = pick.one_of({5u, 25u, 50u});
    plan.timeout = 25;
    proof.explore(plan, {.unanswered = 1, .unregistered = 0, .crashes = 1});
    if (plan.delay != 25)
      proof.explore(plan, {.unanswered = 1, .unregistered = 0, .crashes = 1, .operator_words = 1});
  }
}

// Topics of nobody, one or two, who change before the submit; beside a delivery and another topic.
void explore_topics(Proof& proof) {
  for (Choices pick; !pick.done();) {
    auto plan = any_plan(pick);
    plan.changes = plan.driven;
    const Delivery topic{DeliveryKind::topic, pick.below(3), plan.driven ? pick.below(3) : 0};
    const Delivery other = pick.coin() ? Delivery{DeliveryKind::topic, 1, 1} : Delivery{};
    plan.deliveries = {topic, other};
    if (pick.coin()) std::swap(plan.deliveries[0], plan.deliveries[1]);
    proof.explore(plan, {.unanswered = 1, .unregistered = 0, .crashes = 1});
  }
}

// Three, each to one, to nobody or to a topic.
void explore_messages_of_three(Proof& proof) {
  for (Choices pick; !pick.done();) {
    auto plan = any_plan(pick);
    for (int i = 0; i < 3; ++i)
      plan.deliveries.push_back({static_cast<DeliveryKind>(pick.below(3)), 1, 0});
    proof.explore(plan, {.unanswered = 0, .unregistered = 1, .crashes = 0});
  }
}

const Proof& msg_proof() {
  static const Proof one = [] {
    Proof made;
    explore_small_messages(made);
    explore_delayed_messages(made);
    explore_topics(made);
    explore_messages_of_three(made);
    return made;
  }();
  return one;
}

}  // namespace

TEST_SUITE("core/msg") {
#define BELAY_X(name, sentence) \
  TEST_CASE(sentence) { check_holds(msg_proof(), Property::name, 1000); }
  BELAY_MSG_PROPERTIES(BELAY_X)
  BELAY_DRIVEN_PROPERTIES(BELAY_X)
  BELAY_SHARED_PROPERTIES(BELAY_X)
#undef BELAY_X

  TEST_CASE("the histories of small messages are all there") {
    check_counts(msg_proof(), 1'000'000, 10'000);
  }
}

}  // namespace belay::test
