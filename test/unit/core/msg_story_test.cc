// Controls: a story that cannot be broken proves nothing.
#include "unit/core/msg_story.h"

#include <doctest/doctest.h>

#include "unit/core/story_runner.h"

namespace belay::test {
namespace {

using core::RecordKind;

MsgPlan two(bool driven, bool has_query) {
  MsgPlan plan;
  plan.deliveries.resize(2);
  plan.driven = driven;
  plan.has_query = has_query;
  return plan;
}

// To a topic of two subscribers, then to one.
MsgPlan to_topic() {
  MsgPlan plan;
  plan.deliveries = {{DeliveryKind::topic, 2, 0}, {}};
  plan.driven = true;
  return plan;
}

constexpr std::uint64_t kDeadline = kBegin + 35'000;
const MsgPlan kSubmitted = two(false, false);
const MsgPlan kPrepared = two(true, false);
const MsgPlan kChecked = two(true, true);

core::Record deliver(std::uint32_t branch) {
  return {.kind = RecordKind::started, .branch = branch, .op = Op::action};
}

}  // namespace

TEST_SUITE("core/msg controls") {
  TEST_CASE("an honest story breaks nothing") {
    CHECK(StoryRunner(kSubmitted).success(0).rest().failure(1).rest().broke_nothing());
    CHECK(
        StoryRunner(kPrepared).rest().submit().rest().success(0).success(1).rest().broke_nothing());
    CHECK(StoryRunner(kPrepared).due(kDeadline).rest().broke_nothing());
    CHECK(StoryRunner(kChecked).due(kDeadline).unknown(2).rest().broke_nothing());
    CHECK(StoryRunner(kChecked)
              .due(kDeadline)
              .success(2)
              .rest()
              .success(0)
              .success(1)
              .broke_nothing());
    CHECK(StoryRunner(kChecked).due(kDeadline).abort().rest().success(2).rest().broke_nothing());
    CHECK(StoryRunner(to_topic())
              .submit()
              .rest()
              .success(2)
              .success(3)
              .success(1)
              .rest()
              .broke_nothing());
  }

  TEST_CASE("a delivery without the word, against it, out of order or too early is found") {
    CHECK(StoryRunner(kPrepared, add(deliver(0))).broke(Property::delivers_when_submitted));
    CHECK(StoryRunner(kPrepared, add_call(0, Op::action)).broke(Property::delivers_when_submitted));
    CHECK(StoryRunner(kPrepared).abort(add(deliver(0))).broke(Property::delivers_when_submitted));
    CHECK(StoryRunner(kSubmitted, add(deliver(1))).broke(Property::delivery_order));
    CHECK(StoryRunner(to_topic()).submit(add(deliver(1))).broke(Property::delivery_order));
    auto delayed = kSubmitted;
    delayed.delay = 5;
    CHECK(StoryRunner(delayed, add(deliver(0))).broke(Property::starts_after_delay));
  }

  TEST_CASE("a decision without or against a reason is found") {
    const core::Record commit{.kind = RecordKind::committing};
    const core::Record abort{.kind = RecordKind::aborting};
    CHECK(StoryRunner(kPrepared, add(commit)).broke(Property::submitted_for_a_reason));
    CHECK(StoryRunner(kChecked)
              .due(kDeadline)
              .success(2, without(RecordKind::committing))
              .broke(Property::submitted_for_a_reason));
    CHECK(StoryRunner(kPrepared, add(abort)).broke(Property::fails_for_a_reason));
    CHECK(StoryRunner(kSubmitted).success(0, add(abort)).broke(Property::fails_for_a_reason));
    CHECK(StoryRunner(kPrepared)
              .due(kDeadline, without(RecordKind::aborting))
              .broke(Property::fails_for_a_reason));
    CHECK(StoryRunner(kChecked).due(kDeadline, add(abort)).broke(Property::fails_for_a_reason));
    CHECK(StoryRunner(kChecked)
              .due(kDeadline)
              .submit()
              .failure(2, add(abort))
              .broke(Property::word_before_answer));
  }

  TEST_CASE("a back-check too early, never or given up is found") {
    const core::Record ask{.kind = RecordKind::started, .branch = 2, .op = Op::query};
    CHECK(StoryRunner(kChecked, add(ask)).broke(Property::asked_in_time));
    CHECK(StoryRunner(kChecked)
              .due(kDeadline, without(RecordKind::started))
              .broke(Property::asked_in_time));
    CHECK(StoryRunner(kChecked).due(kDeadline).unknown(2, give_up).broke(Property::asked_again));
    CHECK(StoryRunner(kChecked)
              .due(kDeadline)
              .abort(add({.kind = RecordKind::finished, .status = Status::failed}))
              .broke(Property::waits_for_query));
  }

  TEST_CASE("a delivery given up, an end by one, and a subscriber forgotten are found") {
    const core::Record failed{.kind = RecordKind::finished, .status = Status::failed};
    CHECK(StoryRunner(kSubmitted).failure(0, give_up).broke(Property::delivered_for_ever));
    CHECK(StoryRunner(kSubmitted).failure(0, add(failed)).broke(Property::delivery_ends_nothing));
    CHECK(StoryRunner(kSubmitted).failure(0, add(failed)).broke(Property::msg_status));
    CHECK(StoryRunner(kPrepared)
              .submit(add({.kind = RecordKind::added}))
              .broke(Property::goes_to_subscribers));
    StoryRunner fewer(to_topic());
    fewer.submit();
    fewer.transaction.branches.pop_back();
    CHECK(fewer.rest().broke(Property::goes_to_subscribers));
    StoryRunner late(kPrepared);
    ++late.transaction.created_at;
    CHECK(late.rest().broke(Property::default_deadline));
    StoryRunner changed(kPrepared);
    changed.transaction.status = Status::submitted;
    CHECK(changed.rest().broke(Property::words_allowed));
  }
}

}  // namespace belay::test
