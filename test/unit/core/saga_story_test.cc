// Controls: a story that cannot be broken proves nothing. Real steps of the core are tampered with
// before they are told, and the property must be found broken.
#include "unit/core/saga_story.h"

#include <doctest/doctest.h>

#include "unit/core/story_runner.h"

namespace belay::test {
namespace {

using core::RecordKind;

const SagaPlan kSequence{.shape = core::Shape::sequential, .waits_for = {{}, {0}}};
const SagaPlan kConcurrent{.shape = core::Shape::concurrent, .waits_for = {{}, {}}};

}  // namespace

TEST_SUITE("core/saga controls") {
  TEST_CASE("an honest story breaks nothing") {
    CHECK(StoryRunner(kSequence).success(0).success(1).rest().broke_nothing());
    CHECK(StoryRunner(kSequence)
              .success(0)
              .failure(1)
              .rest()
              .success(1)
              .success(0)
              .rest()
              .broke_nothing());
    CHECK(StoryRunner(kConcurrent)
              .failure(0)
              .rest()
              .success(1)
              .rest()
              .success(0)
              .success(1)
              .rest()
              .broke_nothing());
    CHECK(StoryRunner(kConcurrent).unknown(0).rest().due(kBegin + 10).rest().broke_nothing());
  }

  TEST_CASE("a step that goes on after an abort, or aborts without or against a reason, is found") {
    CHECK(StoryRunner(kSequence)
              .failure(0, add({.kind = RecordKind::started, .branch = 1}))
              .broke(Property::nothing_forward_after_abort));
    CHECK(StoryRunner(kConcurrent)
              .failure(0, add_call(1, Op::action))
              .broke(Property::nothing_forward_after_abort));
    CHECK(StoryRunner(kSequence)
              .success(0, add({.kind = RecordKind::aborting}))
              .broke(Property::turns_back_for_a_reason));
    CHECK(StoryRunner(kSequence)
              .failure(0, without(RecordKind::aborting))
              .broke(Property::turns_back_for_a_reason));
    auto limited = kSequence;
    limited.retry_limit = 1;
    CHECK(StoryRunner(limited)
              .unknown(0, without(RecordKind::aborting))
              .broke(Property::retry_limit));
    CHECK(StoryRunner(kSequence)
              .unknown(0, add({.kind = RecordKind::aborting}))
              .broke(Property::retry_limit));
  }

  TEST_CASE("a compensation of the wrong branch, in the wrong order or too early is found") {
    const core::Record undo_second{.kind = RecordKind::started, .branch = 1, .op = Op::compensate};
    const core::Record undo_first{.kind = RecordKind::started, .branch = 0, .op = Op::compensate};
    CHECK(StoryRunner(kSequence)
              .failure(0, add(undo_second))
              .broke(Property::undoes_only_what_may_have_run));
    CHECK(
        StoryRunner(kSequence).success(0).failure(1, add(undo_first)).broke(Property::undo_order));
    CHECK(StoryRunner(kConcurrent).failure(0, add(undo_second)).broke(Property::own_call_first));
    CHECK(StoryRunner(kSequence)
              .success(0)
              .failure(1)
              .success(1, add({.kind = RecordKind::finished, .status = Status::failed}))
              .broke(Property::undoes_all_that_may_have_run));
  }

  TEST_CASE(
      "an action before its turn, a call too many, of the wrong thing or before its time is "
      "found") {
    CHECK(StoryRunner(kSequence, add({.kind = RecordKind::started, .branch = 1}))
              .broke(Property::action_order));
    CHECK(StoryRunner(kSequence, add_call(0, Op::action)).broke(Property::one_call_a_branch));
    CHECK(StoryRunner(kSequence, add_call(1, Op::action)).broke(Property::calls_what_is_open));
    CHECK(StoryRunner(kSequence)
              .success(0, add_call(0, Op::action))
              .broke(Property::calls_what_is_open));
    CHECK(StoryRunner(kSequence).unknown(0, add_call(0, Op::action)).broke(Property::never_early));
    auto delayed = kSequence;
    delayed.delay = 5;
    CHECK(StoryRunner(delayed, add({.kind = RecordKind::started, .branch = 0}))
              .broke(Property::never_early));
  }

  TEST_CASE("an end that is told twice, not at all, untruly or not for good is found") {
    CHECK(
        StoryRunner(kSequence).success(0).success(1, drop_effects).broke(Property::finished_once));
    CHECK(StoryRunner(kSequence)
              .success(0)
              .success(1, [](core::Step& step) { step.effects.push_back(step.effects.back()); })
              .broke(Property::finished_once));
    CHECK(StoryRunner(kSequence)
              .success(0, add({.kind = RecordKind::finished, .status = Status::succeed}))
              .broke(Property::status_is_true));
    CHECK(StoryRunner(kSequence)
              .success(0)
              .success(1)
              .due(kBegin + 1, add({.kind = RecordKind::aborting}))
              .broke(Property::final_is_final));
  }

  TEST_CASE("a stop that calls, waits for too much or too little, or is no failure is found") {
    const auto end_as = [](Status status) {
      return [status](core::Step& step) { step.records.back().status = status; };
    };
    CHECK(StoryRunner(kConcurrent).success(0).stop().rest().success(1).rest().broke_nothing());
    CHECK(
        StoryRunner(kSequence).unknown(0).hasten().rest().stop().unknown(0).rest().broke_nothing());
    const auto broke = [](const auto& runner) { return runner.broke(Property::stop_ends_it); };
    CHECK(broke(StoryRunner(kSequence).stop(add_call(1, Op::action))));
    CHECK(broke(StoryRunner(kSequence).unknown(0).stop(add_call(0, Op::action))));
    CHECK(broke(StoryRunner(kSequence).stop(without(RecordKind::stopped))));
    CHECK(broke(StoryRunner(kSequence).stop(
        add({.kind = RecordKind::finished, .status = Status::failed}))));  // its call is out
    CHECK(broke(StoryRunner(kSequence).stop().success(0, without(RecordKind::finished))));
    CHECK(broke(StoryRunner(kSequence).stop().success(0, end_as(Status::succeed))));
    CHECK(broke(StoryRunner(kSequence).stop().success(0, drop_effects)));
    StoryRunner called(kSequence);
    called.stop().transaction.stopped = false;
    CHECK(broke(called.rest()));
  }

  TEST_CASE("what is hastened and waits all the same is found") {
    CHECK(StoryRunner(kSequence).unknown(0).hasten(drop_effects).broke(Property::hastened_at_once));
    auto delayed = kSequence;
    delayed.delay = 5;
    CHECK(StoryRunner(delayed).hasten().rest().broke_nothing());
    const auto idle = [](core::Step& step) { step.records.clear(), step.effects.clear(); };
    CHECK(StoryRunner(delayed).hasten(idle).broke(Property::hastened_at_once));
  }

  TEST_CASE("a state that idles, sleeps for ever or too long, or counts wrongly is found") {
    StoryRunner dropped(kSequence, drop_effects);
    CHECK(dropped.rest().broke(Property::no_idling));
    CHECK(dropped.broke(Property::one_call_a_branch));
    CHECK(dropped.broke(Property::always_woken));
    StoryRunner late(kSequence);
    late.unknown(0);
    ++late.transaction.branches[0].due_at;
    CHECK(late.rest().broke(Property::woken_in_time));
    StoryRunner counted(kSequence);
    ++counted.transaction.branches[0].attempts_first;
    CHECK(counted.rest().broke(Property::attempts_counted));
    CHECK(StoryRunner(kSequence)
              .success(0, add({.kind = RecordKind::answered, .branch = 0}))
              .broke(Property::attempts_counted));
    StoryRunner silent(kSequence);
    silent.success(0);
    silent.transaction.timeline.clear();
    CHECK(silent.rest().broke(Property::timeline_tells_all));
  }
}

}  // namespace belay::test
