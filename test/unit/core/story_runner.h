// For controls: a story that cannot be broken proves nothing. Real steps of the core are tampered
// with before they are told, and the property must be found broken.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "core/apply.h"
#include "unit/core/world.h"

namespace belay::test {

using Tamper = std::function<void(core::Step&)>;

template <class Plan>
class StoryRunner {
 public:
  explicit StoryRunner(const Plan& plan, const Tamper& tamper = {})
      : plan_(plan), scenario_(scenario_of(plan)), story_(opening_of(plan_).clone()) {
    const core::Record first{
        .kind = scenario_.driven ? core::RecordKind::prepared : core::RecordKind::submitted,
        .id = 7,
        .at = kBegin,
        .text = scenario_.definition};
    auto begun = core::begin(first);
    REQUIRE(begun.has_value());
    transaction = std::move(*begun);
    tell(core::Begun{}, tamper);
  }

  StoryRunner& success(std::uint32_t branch, const Tamper& tamper = {}) {
    return answer(branch, Outcome::success(), tamper);
  }
  StoryRunner& failure(std::uint32_t branch, const Tamper& tamper = {}) {
    return answer(branch, Outcome::failure("no"), tamper);
  }
  StoryRunner& unknown(std::uint32_t branch, const Tamper& tamper = {}) {
    return answer(branch, Outcome::unknown("lost"), tamper);
  }
  StoryRunner& due(std::uint64_t at, const Tamper& tamper = {}) {
    now_ = at;
    return tell(core::Due{}, tamper);
  }
  StoryRunner& submit(const Tamper& tamper = {}) { return tell(core::WordSubmit{}, tamper); }
  StoryRunner& abort(const Tamper& tamper = {}) { return tell(core::WordAbort{"no"}, tamper); }
  StoryRunner& progress(const Tamper& tamper = {}) {
    return tell(core::Progressed{scenario_.progress[progressed_++]}, tamper);
  }
  StoryRunner& finish(bool well, const Tamper& tamper = {}) {
    return tell(core::WordEnd{&end_of_plans(well)}, tamper);
  }
  StoryRunner& stop(const Tamper& tamper = {}) { return tell(core::WordStop{kStopReason}, tamper); }
  StoryRunner& hasten(const Tamper& tamper = {}) { return tell(core::Hastened{}, tamper); }
  StoryRunner& add(const Tamper& tamper = {}) {
    return tell(core::Added{scenario_.additions[added_++]}, tamper);
  }
  // Looks at the state, which the test may have changed.
  StoryRunner& rest() {
    story_.rest(transaction, now_, findings_, past_);
    story_.examine_state(transaction, findings_, past_);
    return *this;
  }
  bool broke(Property property) const { return findings_.broken(property) > 0; }
  bool broke_nothing() const {
    for (std::size_t i = 0; i < static_cast<std::size_t>(Property::count); ++i) {
      if (broke(static_cast<Property>(i))) return false;
    }
    return true;
  }

  core::Transaction transaction;

 private:
  StoryRunner& answer(std::uint32_t branch, const Outcome& outcome, const Tamper& tamper) {
    return tell(core::Answered{branch, *story_.call_out(branch), &outcome}, tamper);
  }
  StoryRunner& tell(const core::Event& event, const Tamper& tamper) {
    static const Options options;
    core::Step step;
    const core::Context context{
        .now = now_,
        .random = 0,
        .options = &options,
        .topics = scenario_.topics.empty() ? nullptr : &scenario_.topics[0]};
    core::decide(transaction, event, context, step);
    if (tamper) tamper(step);
    story_.step(event, context, step, findings_, past_);
    return *this;
  }

  Plan plan_;
  Scenario scenario_;
  StoppableStory story_;
  Findings findings_;
  Past past_{nullptr, "control", ""};
  std::uint64_t now_ = kBegin;
  std::size_t added_ = 0;
  std::size_t progressed_ = 0;
};

inline Tamper add_call(std::uint32_t branch, Op op) {
  return [=](core::Step& step) { step.effects.push_back({core::EffectKind::call, branch, op}); };
}
inline Tamper add(const core::Record& record) {
  return [=](core::Step& step) { step.records.push_back(record); };
}
inline Tamper without(core::RecordKind kind) {
  return [=](core::Step& step) {
    std::erase_if(step.records, [kind](const core::Record& record) { return record.kind == kind; });
  };
}
inline void drop_effects(core::Step& step) { step.effects.clear(); }
inline void give_up(core::Step& step) { step.records[0].due_at = 0; }

}  // namespace belay::test
