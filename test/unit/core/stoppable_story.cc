#include "unit/core/stoppable_story.h"

#include <algorithm>

namespace belay::test {
std::unique_ptr<Story> StoppableStory::clone() const {
  auto copy = std::make_unique<StoppableStory>(before_->clone());
  copy->out_ = out_;
  copy->finished_ = finished_;
  return copy;
}

std::optional<Op> StoppableStory::call_out(std::uint32_t branch) const {
  return out_ ? (*out_)[branch] : before_->call_out(branch);
}

bool StoppableStory::nobody_is_out() const {
  return std::none_of(out_->begin(), out_->end(),
                      [](const std::optional<Op>& out) { return out.has_value(); });
}

void StoppableStory::step(const core::Event& event, const core::Context& context,
                          const core::Step& step, Findings& findings, const Past& past) {
  const bool stops = std::holds_alternative<core::WordStop>(event);
  if (!out_ && !stops) return before_->step(event, context, step, findings, past);
  if (stops) {
    out_.emplace();
    for (std::uint32_t i = 0; i < before_->branch_count(); ++i)
      out_->push_back(before_->call_out(i));
  }
  if (const auto* answered = std::get_if<core::Answered>(&event)) (*out_)[answered->branch].reset();
  if (const auto* back = std::get_if<core::Withdrawn>(&event)) (*out_)[back->branch].reset();
  if (std::holds_alternative<core::Resumed>(event)) out_->assign(out_->size(), std::nullopt);
  const bool was_finished = std::exchange(finished_, nobody_is_out());
  findings.examine(Property::stop_ends_it, is_told(event, step, was_finished), past);
}

// The word or an answer is a record, and so is the end; nobody is called.
bool StoppableStory::is_told(const core::Event& event, const core::Step& step,
                             bool was_finished) const {
  using core::RecordKind;
  std::vector<RecordKind> kinds;
  if (std::holds_alternative<core::WordStop>(event)) kinds.push_back(RecordKind::stopped);
  if (std::holds_alternative<core::Answered>(event)) kinds.push_back(RecordKind::answered);
  const bool ends = finished_ && !was_finished;
  if (ends) kinds.push_back(RecordKind::finished);
  const auto same = [](const core::Record& record, RecordKind kind) {
    return record.kind == kind && record.due_at == 0 &&
           (kind != RecordKind::finished || record.status == Status::failed);
  };
  std::size_t told_the_end = 0;
  for (const auto& effect : step.effects) {
    if (effect.kind == core::EffectKind::call) return false;
    told_the_end += effect.kind == core::EffectKind::finished ? 1 : 0;
  }
  return told_the_end == (ends ? 1u : 0u) &&
         std::equal(step.records.begin(), step.records.end(), kinds.begin(), kinds.end(), same);
}

void StoppableStory::rest(const core::Transaction& transaction, std::uint64_t now,
                          Findings& findings, const Past& past) const {
  if (!out_) return before_->rest(transaction, now, findings, past);
  bool rests = transaction.stopped && transaction.finished() == finished_ &&
               core::next_due(transaction) == 0 && core::next_hastened(transaction) == 0;
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    rests = rests && transaction.branches[i].in_flight == call_out(i).has_value() &&
            !core::is_pending(transaction, i);
  }
  findings.examine(Property::stop_ends_it, rests, past);
}

void StoppableStory::examine_state(const core::Transaction& transaction, Findings& findings,
                                   const Past& past) const {
  if (!out_) return before_->examine_state(transaction, findings, past);
  const bool no_word = !core::may_submit(transaction) && !core::may_abort(transaction) &&
                       !core::may_add_branch(transaction) &&
                       core::may_stop(transaction).has_value() == !finished_;
  bool all_ended = !finished_ || transaction.status == Status::failed;
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i)
    all_ended = all_ended && core::first_phase_outcome(transaction, i).has_value();
  findings.examine(Property::stop_ends_it, no_word && all_ended, past);
  const auto events = core::decode_timeline(transaction.timeline, transaction.created_at);
  const bool told =
      events && std::count_if(events->begin(), events->end(), [](const core::TimelineEvent& event) {
                  return event.kind == core::RecordKind::stopped && event.text == kStopReason;
                }) == 1;
  findings.examine(Property::stop_ends_it,
                   told && transaction.reason && *transaction.reason == kStopReason, past);
}

}  // namespace belay::test
