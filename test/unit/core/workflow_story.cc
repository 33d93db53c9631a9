#include "unit/core/workflow_story.h"

#include <algorithm>
#include <utility>

namespace belay::test {

// Walks one step and moves the story on.
class WorkflowStory::Examiner {
 public:
  Examiner(WorkflowStory& story, std::uint64_t now, Findings& findings, const Past& past)
      : story_(story),
        now_(now),
        findings_(findings),
        past_(past),
        was_finished_(story.end_ != nullptr) {}

  void event(const core::Event& event) {
    std::visit([this](const auto& one) { happens(one); }, event);
  }

  void record(const core::Record& record) {
    using core::RecordKind;
    examine(Property::final_is_final, !was_finished_);
    story_.tale_.record(record, now_, 1);
    switch (record.kind) {
      case RecordKind::scheduled: return scheduled(record);
      case RecordKind::answered: return answered(record);
      case RecordKind::edited: return edited(record);
      case RecordKind::hastened: return hastened();
      case RecordKind::parked: return story_.callback_.park();
      case RecordKind::progressed:
        examine(Property::remembers_all, std::exchange(recorded_, "") == record.text);
        return story_.steps_.emplace_back(record.text), void();
      case RecordKind::concluded: return concluded(record);
      case RecordKind::finished: return finished(record.status);
      case RecordKind::started:
      case RecordKind::resolved:
      case RecordKind::submitted:
      case RecordKind::prepared:
      case RecordKind::aborting:
      case RecordKind::added:
      case RecordKind::committing:
      case RecordKind::stopped: return examine(Property::ends_by_word, false);
    }
  }

  void effect(const core::Effect& effect) {
    examine(Property::final_is_final, !was_finished_);
    if (effect.kind == core::EffectKind::finished) {
      ++told_the_end_;
    } else {
      call(effect);
    }
  }

  void end(const core::Event& event, const core::Step& step) {
    examine(Property::finished_once,
            told_the_end_ == (story_.end_ != nullptr && !was_finished_ ? 1u : 0u));
    examine(Property::ends_by_word,
            (said_ != nullptr) == (story_.end_ != nullptr && !was_finished_));
    examine(Property::remembers_all, recorded_.empty());
    if (edits_) examine(Property::hastened_at_once, story_.callback_.out.has_value());
    if (hastened_) examine(Property::hastened_at_once, !hastens_ && !story_.callback_.retries);
    if (is_late_) examine(Property::late_callback, step.records.empty() && step.effects.empty());
    if (std::holds_alternative<core::Begun>(event))
      examine(Property::called_back_first, story_.scheduled_ == story_.plan_->has_callback);
    if (!std::holds_alternative<core::Resumed>(event)) return;
    // its handler may be there in this life
    examine(Property::no_idling, !story_.callback_.parked || story_.callback_.out || was_finished_);
  }

 private:
  void happens(const core::Begun&) {}
  void happens(const core::Added&) {}
  void happens(const core::WordSubmit&) {}
  void happens(const core::WordAbort&) {}
  void happens(const core::Registered&) {}
  void happens(const core::Due&) {}
  void happens(const core::WordStop&) {}  // told by StoppableStory
  void happens(const core::Hastened&) {
    hastened_ = true;
    hastens_ = story_.is_open() && !story_.callback_.out && !story_.callback_.parked;
  }
  void happens(const core::WordResolve&) {}  // its owner alone says how it ends
  void happens(const core::WordEdit& event) {
    edits_ = event.branch;
    if (event.withdrawn) story_.callback_.out.reset();
    if (event.resumes) happens(core::Resumed{});
  }
  void happens(const core::Unregistered&) { story_.callback_.out.reset(); }
  void happens(const core::HeldBack&) {}  // the call goes on waiting
  void happens(const core::Withdrawn&) {
    story_.callback_.out.reset();
    is_late_ = was_finished_;
  }
  void happens(const core::Resumed&) { story_.callback_.resume(story_.is_open(), now_); }
  void happens(const core::Progressed& event) { recorded_ = event.step; }
  void happens(const core::WordEnd& event) { said_ = event.end; }
  void happens(const core::Answered& event) {
    story_.callback_.out.reset();
    is_late_ = was_finished_;
    if (!is_late_) awaited_.event(event);
  }

  void edited(const core::Record& record) {
    examine(Property::hastened_at_once, edits_ == record.branch);
    story_.callback_.edit();
  }

  void hastened() {
    examine(Property::hastened_at_once, std::exchange(hastens_, false));
    story_.callback_.hasten();
  }

  void scheduled(const core::Record& record) {
    auto& callback = story_.callback_;
    examine(Property::nobody_to_call, story_.plan_->has_callback);
    examine(Property::called_back_first, record.branch == 0 && record.op == Op::query &&
                                             !story_.scheduled_ && record.due_at == now_ + 10);
    callback.open();
    callback.retries = true;
    callback.not_before = now_ + 10;
    story_.scheduled_ = true;
  }

  void answered(const core::Record& record) {
    auto& callback = story_.callback_;
    examine(Property::attempts_counted, awaited_.takes(record));
    ++callback.answers[0];
    callback.parked = false;
    const bool is_well = record.outcome == OutcomeKind::success;
    callback.unended(is_well ? OutcomeKind::ongoing : record.outcome, true, now_);
    examine(Property::called_back_again, record.due_at == callback.not_before);
  }

  void concluded(const core::Record& record) {
    const auto conclusion = core::read_conclusion(record.text);
    examine(Property::end_as_said, said_ != nullptr && conclusion && !concluded_ &&
                                       conclusion->result == said_->result &&
                                       conclusion->reason == said_->reason);
    concluded_ = true;
  }

  void finished(Status status) {
    examine(Property::finished_once, story_.end_ == nullptr);
    examine(Property::ends_by_word, said_ != nullptr && concluded_);
    if (said_ == nullptr) return;
    examine(Property::end_as_said, said_->status == status);
    story_.end_ = said_;
    story_.callback_.parked = story_.callback_.retries = false;
  }

  void call(const core::Effect& effect) {
    auto& callback = story_.callback_;
    examine(Property::nobody_to_call, story_.plan_->has_callback);
    examine(Property::calls_what_is_open,
            effect.kind == core::EffectKind::call && effect.op == Op::query && story_.is_open());
    examine(Property::one_call_a_branch, !callback.out);
    examine(Property::never_early, hastened_ || !callback.retries || callback.not_before <= now_);
    callback.retries = false;
    callback.out = effect.op;
    story_.called_ = true;
  }

  void examine(Property property, bool holds) { findings_.examine(property, holds, past_); }

  WorkflowStory& story_;
  std::uint64_t now_;
  Findings& findings_;
  const Past& past_;
  Awaited awaited_;
  std::string recorded_;               // the step of this event
  const WorkflowEnd* said_ = nullptr;  // by this event
  unsigned told_the_end_ = 0;
  bool was_finished_;
  bool is_late_ = false;
  std::optional<std::uint32_t> edits_;  // the branch
  bool hastened_ = false;
  bool hastens_ = false;  // the record is yet to come
  bool concluded_ = false;
};

WorkflowStory::WorkflowStory(const WorkflowPlan& plan, std::uint64_t created_at)
    : plan_(&plan), tale_(core::RecordKind::prepared, created_at), first_at_(created_at + 10) {}

void WorkflowStory::step(const core::Event& event, const core::Context& context,
                         const core::Step& step, Findings& findings, const Past& past) {
  Examiner examiner(*this, context.now, findings, past);
  examiner.event(event);
  for (const auto& record : step.records) examiner.record(record);
  for (const auto& effect : step.effects) examiner.effect(effect);
  examiner.end(event, step);
}

void WorkflowStory::examine_state(const core::Transaction& transaction, Findings& findings,
                                  const Past& past) const {
  const auto examine = [&](Property property, bool holds) {
    findings.examine(property, holds, past);
  };
  tale_.examine(transaction, findings, past);
  examine(Property::no_other_word,
          !core::may_add_branch(transaction) && !core::may_submit(transaction) &&
              !core::may_abort(transaction) && core::deadline_of(transaction) == 0);
  const core::Remembered nothing;
  const auto& remembered = transaction.remembered ? *transaction.remembered : nothing;
  auto rest = std::string_view(remembered.steps);
  bool all_true = remembered.count == steps_.size();
  for (const auto& step : steps_) {
    const auto known = core::take_step(rest);
    const auto said = core::read_progress(step);
    all_true = all_true && known && known->branch_id == said->branch_id && known->op == said->op &&
               known->status == said->status && known->data == said->data;
  }
  examine(Property::remembers_all, all_true && rest.empty());
  if (end_ == nullptr) return;
  examine(Property::end_as_said,
          transaction.status == end_->status && remembered.result == end_->result &&
              (transaction.reason ? *transaction.reason : "") == end_->reason);
}

void WorkflowStory::rest(const core::Transaction& transaction, std::uint64_t now,
                         Findings& findings, const Past& past) const {
  const auto examine = [&](Property property, bool holds) {
    findings.examine(property, holds, past);
  };
  const auto due = core::next_due(transaction);
  const auto& branch = transaction.branches.at(0);
  examine(Property::one_call_a_branch, branch.in_flight == callback_.out.has_value());
  examine(Property::no_idling, !is_open() || callback_.out || callback_.rests(now));
  examine(Property::called_back_first,
          called_ || !plan_->has_callback || branch.due_at == first_at_);
  examine(Property::attempts_counted, branch.attempts_first == callback_.answers[0]);
  examine(Property::always_woken,
          end_ != nullptr || !plan_->has_callback || due != 0 || callback_.out || callback_.parked);
  examine(Property::woken_in_time,
          due == (is_open() && callback_.retries ? callback_.not_before : 0));
  examine(Property::nobody_to_call, core::awaits_word_only(transaction) != plan_->has_callback);
  examine(Property::ends_by_word, transaction.finished() == (end_ != nullptr));
}

}  // namespace belay::test
