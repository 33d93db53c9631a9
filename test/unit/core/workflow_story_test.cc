// Controls: a story that cannot be broken proves nothing.
#include "unit/core/workflow_story.h"

#include <doctest/doctest.h>

#include "unit/core/story_runner.h"

namespace belay::test {
namespace {

using core::RecordKind;

const WorkflowPlan kPlan{.steps = 2};
const WorkflowPlan kAlone{.has_callback = false, .steps = 1};
constexpr std::uint64_t kFirst = kBegin + 10;

const core::Record kSchedule{.kind = RecordKind::scheduled, .op = Op::query, .due_at = kBegin + 10};
void hurry(core::Step& step) { step.records[0].due_at = kBegin; }

}  // namespace

TEST_SUITE("core/workflow controls") {
  TEST_CASE("an honest story breaks nothing") {
    CHECK(
        StoryRunner(kPlan).rest().progress().progress().rest().finish(true).rest().broke_nothing());
    CHECK(StoryRunner(kPlan)
              .due(kFirst)
              .rest()
              .success(0)
              .rest()
              .finish(false)
              .rest()
              .broke_nothing());
    CHECK(StoryRunner(kPlan).due(kFirst).finish(true).rest().unknown(0).rest().broke_nothing());
    CHECK(StoryRunner(kAlone).rest().progress().finish(false).rest().broke_nothing());
  }

  TEST_CASE("a callback too early, never, given up, or of nobody is found") {
    CHECK(StoryRunner(kPlan, hurry).broke(Property::called_back_first));
    CHECK(StoryRunner(kPlan, without(RecordKind::scheduled)).broke(Property::called_back_first));
    CHECK(StoryRunner(kPlan, add_call(0, Op::query)).broke(Property::never_early));
    CHECK(StoryRunner(kPlan).due(kFirst).success(0, give_up).broke(Property::called_back_again));
    CHECK(StoryRunner(kAlone, add(kSchedule)).broke(Property::nobody_to_call));
    CHECK(StoryRunner(kAlone, add_call(0, Op::query)).broke(Property::nobody_to_call));
    StoryRunner lost(kPlan);
    lost.due(kFirst).success(0);
    lost.transaction.branches[0].due_at = 0;
    CHECK(lost.rest().broke(Property::always_woken));
    CHECK(lost.broke(Property::woken_in_time));
  }

  TEST_CASE("a step forgotten, changed or made up is found") {
    CHECK(StoryRunner(kPlan)
              .progress(without(RecordKind::progressed))
              .broke(Property::remembers_all));
    const auto made_up = WorkflowPlan::step(1);
    const core::Record step{.kind = RecordKind::progressed, .text = made_up};
    CHECK(StoryRunner(kPlan).due(kFirst, add(step)).broke(Property::remembers_all));
    StoryRunner fewer(kPlan);
    fewer.progress();
    fewer.transaction.remembered.reset();
    CHECK(fewer.rest().broke(Property::remembers_all));
    StoryRunner changed(kPlan);
    changed.progress();
    changed.transaction.remembered->steps.back() = '?';
    CHECK(changed.rest().broke(Property::remembers_all));
  }

  TEST_CASE("an end without a word, without an effect, or another one than was said is found") {
    const core::Record end{.kind = RecordKind::finished, .status = Status::succeed};
    CHECK(StoryRunner(kPlan).due(kFirst).success(0, add(end)).broke(Property::ends_by_word));
    CHECK(StoryRunner(kPlan)
              .finish(true, without(RecordKind::finished))
              .broke(Property::ends_by_word));
    CHECK(StoryRunner(kPlan).finish(true, drop_effects).broke(Property::finished_once));
    CHECK(StoryRunner(kPlan)
              .finish(true, [](core::Step& step) { step.records[1].status = Status::failed; })
              .broke(Property::end_as_said));
    StoryRunner other(kPlan);
    other.finish(true);
    other.transaction.remembered->result = "another";
    CHECK(other.rest().broke(Property::end_as_said));
    CHECK(StoryRunner(kPlan)
              .due(kFirst)
              .finish(true)
              .success(0, add({.kind = RecordKind::answered, .op = Op::query}))
              .broke(Property::late_callback));
    StoryRunner worded(kPlan);
    worded.transaction.status = Status::succeed;
    CHECK(worded.rest().broke(Property::ends_by_word));
  }
}

}  // namespace belay::test
