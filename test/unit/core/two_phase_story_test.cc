// Controls: a story that cannot be broken proves nothing.
#include "unit/core/two_phase_story.h"

#include <doctest/doctest.h>

#include "unit/core/story_runner.h"

namespace belay::test {
namespace {

using core::RecordKind;

const TwoPhasePlan kInOrder{.in_order = true, .brought = 2};
const TwoPhasePlan kAtOnce{.brought = 2};
const TwoPhasePlan kDriven{.driven = true, .added = 2};

core::Record start(std::uint32_t branch, Op op) {
  return {.kind = RecordKind::started, .branch = branch, .op = op};
}
core::Record end(Status status) { return {.kind = RecordKind::finished, .status = status}; }

}  // namespace

TEST_SUITE("core/two_phase controls") {
  TEST_CASE("an honest story breaks nothing") {
    CHECK(StoryRunner(kInOrder)
              .success(0)
              .success(1)
              .rest()
              .success(0)
              .success(1)
              .rest()
              .broke_nothing());
    CHECK(StoryRunner(kInOrder)
              .success(0)
              .failure(1)
              .rest()
              .success(1)
              .success(0)
              .rest()
              .broke_nothing());
    CHECK(StoryRunner(kAtOnce)
              .failure(0)
              .rest()
              .unknown(1)
              .success(0)
              .success(1)
              .rest()
              .broke_nothing());
    CHECK(StoryRunner(kDriven).add().success(0).add().success(1).submit().rest().broke_nothing());
    CHECK(StoryRunner(kDriven).add().failure(0).rest().abort().success(0).rest().broke_nothing());
  }

  TEST_CASE("the other decision, one before its time, without or against a reason is found") {
    const core::Record commit{.kind = RecordKind::committing};
    const core::Record abort{.kind = RecordKind::aborting};
    CHECK(StoryRunner(kAtOnce).success(0, add(commit)).broke(Property::commits_when_all_succeeded));
    CHECK(StoryRunner(kAtOnce).success(0, add(commit)).broke(Property::commits_at_once));
    CHECK(StoryRunner(kAtOnce)
              .success(0)
              .success(1, without(RecordKind::committing))
              .broke(Property::commits_at_once));
    CHECK(StoryRunner(kDriven).add().success(0, add(commit)).broke(Property::commits_at_once));
    CHECK(StoryRunner(kDriven).add().failure(0, add(abort)).broke(Property::cancels_for_a_reason));
    CHECK(StoryRunner(kAtOnce).success(0, add(abort)).broke(Property::cancels_for_a_reason));
    CHECK(StoryRunner(kAtOnce).success(0).success(1, add(abort)).broke(Property::never_both));
    auto limited = kAtOnce;
    limited.retry_limit = 1;
    CHECK(StoryRunner(limited)
              .unknown(0, without(RecordKind::aborting))
              .broke(Property::first_phase_limit));
    CHECK(StoryRunner(kAtOnce)
              .due(kBegin + 35'000, without(RecordKind::aborting))
              .broke(Property::cancels_for_a_reason));
  }

  TEST_CASE("an operation of the wrong phase, branch, order or time is found") {
    CHECK(StoryRunner(kAtOnce)
              .failure(0, add(start(1, Op::try_)))
              .broke(Property::first_phase_first));
    CHECK(StoryRunner(kInOrder, add(start(1, Op::try_))).broke(Property::first_phase_order));
    CHECK(StoryRunner(kAtOnce).failure(0, add(start(1, Op::confirm))).broke(Property::never_both));
    CHECK(StoryRunner(kAtOnce)
              .success(0)
              .success(1, add(start(0, Op::cancel)))
              .broke(Property::never_both));
    CHECK(StoryRunner(kAtOnce)
              .failure(0, add(start(1, Op::cancel)))
              .broke(Property::waits_for_own_call));
    CHECK(StoryRunner(kInOrder)
              .failure(0, add(start(1, Op::cancel)))
              .broke(Property::cancels_what_may_have_run));
    CHECK(StoryRunner(kInOrder)
              .success(0)
              .success(1, add(start(1, Op::confirm)))
              .broke(Property::confirm_order));
    CHECK(StoryRunner(kInOrder)
              .success(0)
              .failure(1, add(start(0, Op::cancel)))
              .broke(Property::cancel_order));
    CHECK(StoryRunner(kAtOnce)
              .success(0)
              .success(1, add_call(0, Op::try_))
              .broke(Property::calls_what_is_open));
  }

  TEST_CASE("a second phase that gives up, or decides, is found") {
    const auto give_up = [](core::Step& step) { step.records[0].due_at = 0; };
    CHECK(StoryRunner(kAtOnce)
              .success(0)
              .success(1)
              .failure(0, give_up)
              .broke(Property::second_phase_for_ever));
    CHECK(StoryRunner(kAtOnce)
              .success(0)
              .success(1)
              .failure(0, add(end(Status::failed)))
              .broke(Property::second_phase_ends_nothing));
    CHECK(StoryRunner(kAtOnce)
              .success(0)
              .success(1)
              .success(0, add(end(Status::succeed)))
              .broke(Property::confirms_all));
    CHECK(StoryRunner(kInOrder)
              .success(0)
              .failure(1, add(end(Status::failed)))
              .broke(Property::cancels_all_that_may_have_run));
  }

  TEST_CASE("a driven branch that is not told, or told untruly, and a word refused are found") {
    CHECK(StoryRunner(kDriven).add().success(0, drop_effects).broke(Property::branch_told));
    CHECK(StoryRunner(kDriven).add().abort(drop_effects).broke(Property::branch_told));
    StoryRunner untrue(kDriven);
    untrue.add().success(0);
    untrue.transaction.branches[0].first = core::OpState::failed;
    CHECK(untrue.rest().broke(Property::branch_outcome));
    CHECK(untrue.broke(Property::words_allowed));
    const auto nothing = [](core::Step& step) { step = {}; };
    CHECK(StoryRunner(kDriven).add(nothing).broke(Property::words_allowed));
    StoryRunner changed(kDriven);
    changed.transaction.status = Status::aborting;
    CHECK(changed.rest().broke(Property::two_phase_status));
    StoryRunner late(kDriven);
    ++late.transaction.created_at;
    CHECK(late.rest().broke(Property::default_deadline));
  }
}

}  // namespace belay::test
