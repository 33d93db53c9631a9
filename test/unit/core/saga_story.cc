#include "unit/core/saga_story.h"

#include <algorithm>
#include <utility>

namespace belay::test {

// Walks one step and moves the story on.
class SagaStory::Examiner {
 public:
  Examiner(SagaStory& story, std::uint64_t now, Findings& findings, const Past& past)
      : story_(story),
        now_(now),
        findings_(findings),
        past_(past),
        was_finished_(story.finished_) {}

  void event(const core::Event& event) {
    std::visit([this](const auto& one) { happens(one); }, event);
  }

  void record(const core::Record& record) {
    examine(Property::final_is_final, !was_finished_);
    story_.tale_.record(record, now_, story_.shares_.size());
    switch (record.kind) {
      case core::RecordKind::started: return started(record);
      case core::RecordKind::answered:
      case core::RecordKind::resolved: return answered(record);
      case core::RecordKind::edited: return edited(record);
      case core::RecordKind::hastened: return hastened(record);
      case core::RecordKind::parked: return story_.shares_[record.branch].park();
      case core::RecordKind::aborting: return aborting();
      case core::RecordKind::finished: return finished(record.status);
      case core::RecordKind::committing: return committing();
      case core::RecordKind::submitted: return;
      case core::RecordKind::prepared:
      case core::RecordKind::added:
      case core::RecordKind::progressed:
      case core::RecordKind::concluded:
      case core::RecordKind::scheduled:
      case core::RecordKind::stopped:
        return examine(Property::nothing_forward_after_abort, false);  // not of a saga
    }
  }

  void effect(const core::Effect& effect) {
    examine(Property::final_is_final, !was_finished_);
    switch (effect.kind) {
      case core::EffectKind::finished: ++told_the_end_; return;
      case core::EffectKind::call: return call(effect);
      case core::EffectKind::branch_ended: return;
    }
  }

  void end(const core::Event& event) {
    examine(Property::finished_once,
            told_the_end_ == (story_.finished_ && !was_finished_ ? 1u : 0u));
    if (std::holds_alternative<core::Answered>(event) && limit_matters_) {
      examine(Property::retry_limit, aborts_now_ == at_limit_);
    }
    examine(Property::turns_back_for_a_reason, aborts_now_ == must_abort_);
    examine(Property::nothing_forward_after_abort, submits_now_ == must_submit_);
    if (edits_) examine(Property::hastened_at_once, story_.shares_[*edits_].out.has_value());
    if (hastened_) examine(Property::hastened_at_once, hastens_ == 0 && story_.nothing_waits());
    if (!std::holds_alternative<core::Resumed>(event)) return;
    for (const auto& share : story_.shares_) {  // its handler may be there in this life
      examine(Property::no_idling, !share.parked || share.out || story_.finished_);
    }
  }

 private:
  void happens(const core::Begun&) {}
  void happens(const core::Added&) {}  // of a tcc or xa
  void happens(const core::WordSubmit&) {
    must_submit_ = true;
    // A deadline of its own holds after the submit, too.
    must_abort_ = story_.plan_->timeout != 0 && story_.deadline() <= now_;
  }
  void happens(const core::WordAbort& event) {
    if (event.resumes) {
      for (auto& share : story_.shares_) share.resume(story_.is_open(share), now_);
    }
    must_abort_ = true;
  }
  void happens(const core::Registered&) {}
  void happens(const core::Progressed&) {}  // nor of a workflow
  void happens(const core::WordEnd&) {}
  void happens(const core::Due&) { meets_deadline(); }
  void happens(const core::WordStop&) {}  // told by StoppableStory
  void happens(const core::Hastened&) {
    hastened_ = true;
    for (const auto& share : story_.shares_) hastens_ += waits(share) ? 1 : 0;
    meets_deadline();
  }
  // Nobody calls it, and somebody will.
  bool waits(const Share& share) const {
    return !story_.finished_ && story_.is_open(share) && !share.out && !share.parked;
  }
  void happens(const core::WordResolve& event) {
    resolves_ = true;
    happens(
        core::Answered{event.branch, story_.aborted_ ? Op::compensate : Op::action, event.outcome});
  }
  void happens(const core::WordEdit& event) {
    edits_ = event.branch;
    if (event.withdrawn) story_.shares_[event.branch].out.reset();
    if (event.resumes) happens(core::Resumed{});
  }
  void happens(const core::Unregistered& event) { story_.shares_[event.branch].out.reset(); }
  void happens(const core::HeldBack&) {}  // the call goes on waiting
  void happens(const core::Withdrawn& event) { story_.shares_[event.branch].out.reset(); }
  void happens(const core::Resumed&) {
    for (auto& share : story_.shares_) share.resume(story_.is_open(share), now_);
    meets_deadline();
  }
  void happens(const core::Answered& event) {
    auto& share = story_.shares_[event.branch];
    share.out.reset();
    awaited_.event(event);
    if (event.op != Op::action || story_.aborted_) return;
    const auto kind = event.outcome->kind();
    limit_matters_ = kind == OutcomeKind::unknown;
    at_limit_ = limit_matters_ && share.unanswered + 1 == story_.plan_->retry_limit;
    must_abort_ = kind == OutcomeKind::failure || at_limit_;
  }
  void meets_deadline() {
    const auto deadline = story_.deadline();
    must_abort_ = deadline != 0 && deadline <= now_ && !story_.aborted_ && !story_.finished_;
  }

  void started(const core::Record& record) {
    auto& share = story_.shares_[record.branch];
    if (record.op == Op::action) {
      examine(Property::nothing_forward_after_abort, !story_.aborted_ && story_.submitted_);
      examine(Property::action_order,
              !share.may_have_run && story_.predecessors_acted(record.branch));
      examine(Property::never_early, hastened_ || story_.begun_ || now_ >= story_.start_);
      story_.begun_ = share.may_have_run = true;
    } else {
      examine(Property::turns_back_for_a_reason, story_.aborted_);
      examine(Property::undoes_only_what_may_have_run, share.may_have_run && !share.undoing);
      examine(Property::undo_order, story_.followers_undone(record.branch));
      examine(Property::own_call_first, !share.out);
      share.undoing = true;
    }
    share.open();
    if (story_.plan_->is_empty(record.branch, record.op)) awaited_.empty(record.branch, record.op);
  }

  void answered(const core::Record& record) {
    examine(Property::attempts_counted, awaited_.takes(record));
    auto& share = story_.shares_[record.branch];
    const bool undo = record.op == Op::compensate;
    examine(Property::attempts_counted, resolves_ == (record.kind == core::RecordKind::resolved) ||
                                            story_.plan_->is_empty(record.branch, record.op));
    if (record.kind == core::RecordKind::answered)
      ++share.answers[static_cast<std::size_t>(record.op)];
    share.parked = share.retries = false;
    if (record.outcome == OutcomeKind::success) {
      (undo ? share.undone : share.acted) = true;
    } else if (undo || record.outcome != OutcomeKind::failure) {
      share.unended(record.outcome, undo || (!story_.aborted_ && !must_abort_), now_);
    }
  }

  void edited(const core::Record& record) {
    examine(Property::hastened_at_once, edits_ == record.branch);
    story_.shares_[record.branch].edit();
  }

  void hastened(const core::Record& record) {
    examine(Property::hastened_at_once, hastens_-- > 0);
    story_.shares_[record.branch].hasten();
  }

  void committing() {
    examine(Property::nothing_forward_after_abort, !story_.submitted_ && !story_.aborted_);
    submits_now_ = story_.submitted_ = true;
    story_.start_ = now_ + story_.plan_->delay;
  }

  void aborting() {
    examine(Property::turns_back_for_a_reason, !story_.aborted_);
    aborts_now_ = story_.aborted_ = true;
    for (auto& share : story_.shares_) share.parked = share.retries = false;
  }

  void finished(Status status) {
    examine(Property::finished_once, !story_.finished_);
    bool all_acted = true;
    bool all_undone = true;
    for (const auto& share : story_.shares_) {
      all_acted = all_acted && share.acted;
      all_undone = all_undone && (!share.may_have_run || share.undone);
    }
    examine(Property::status_is_true, status == Status::succeed
                                          ? all_acted && !story_.aborted_
                                          : status == Status::failed && story_.aborted_);
    if (status == Status::failed) examine(Property::undoes_all_that_may_have_run, all_undone);
    story_.finished_ = true;
  }

  void call(const core::Effect& effect) {
    auto& share = story_.shares_[effect.branch];
    examine(Property::nothing_forward_after_abort, effect.op == Op::compensate || !story_.aborted_);
    examine(Property::calls_what_is_open,
            story_.is_open(share) && !story_.plan_->is_empty(effect.branch, effect.op) &&
                effect.op == (story_.aborted_ ? Op::compensate : Op::action));
    examine(Property::one_call_a_branch, !share.out);
    examine(Property::never_early, hastened_ || !share.retries || share.not_before <= now_);
    share.retries = false;
    share.out = effect.op;
  }

  void examine(Property property, bool holds) { findings_.examine(property, holds, past_); }

  SagaStory& story_;
  std::uint64_t now_;
  Findings& findings_;
  const Past& past_;
  Awaited awaited_;
  unsigned told_the_end_ = 0;
  bool was_finished_;
  std::optional<std::uint32_t> edits_;  // the branch
  bool hastened_ = false;
  int hastens_ = 0;  // records that are yet to come
  bool resolves_ = false;
  bool must_abort_ = false;
  bool aborts_now_ = false;
  bool must_submit_ = false;
  bool submits_now_ = false;
  bool limit_matters_ = false;
  bool at_limit_ = false;
};

SagaStory::SagaStory(const SagaPlan& plan, std::uint64_t created_at)
    : plan_(&plan),
      shares_(plan.count()),
      tale_(plan.driven ? core::RecordKind::prepared : core::RecordKind::submitted, created_at),
      created_at_(created_at),
      start_(created_at + plan.delay),
      submitted_(!plan.driven) {}

void SagaStory::step(const core::Event& event, const core::Context& context, const core::Step& step,
                     Findings& findings, const Past& past) {
  Examiner examiner(*this, context.now, findings, past);
  examiner.event(event);
  for (const auto& record : step.records) examiner.record(record);
  for (const auto& effect : step.effects) examiner.effect(effect);
  examiner.end(event);
}

std::uint64_t SagaStory::deadline() const {
  if (plan_->timeout != 0) return created_at_ + plan_->timeout;
  return submitted_ ? 0 : created_at_ + core::kTimeoutToFailDefault;
}

void SagaStory::examine_state(const core::Transaction& transaction, Findings& findings,
                              const Past& past) const {
  tale_.examine(transaction, findings, past);
  const bool is_open = !submitted_ && !aborted_ && !finished_;
  findings.examine(Property::words_allowed,
                   core::may_submit(transaction).has_value() == is_open &&
                       core::may_abort(transaction).has_value() == is_open &&
                       core::may_turn_back(transaction).has_value() == (!aborted_ && !finished_) &&
                       !core::may_add_branch(transaction),
                   past);
  if (is_open && plan_->timeout == 0) {
    findings.examine(Property::default_deadline, core::deadline_of(transaction) == deadline(),
                     past);
  }
}

bool SagaStory::predecessors_acted(std::uint32_t branch) const {
  const auto& before = plan_->waits_for[branch];
  return std::all_of(before.begin(), before.end(),
                     [this](std::uint32_t i) { return shares_[i].acted; });
}

bool SagaStory::followers_undone(std::uint32_t branch) const {
  const auto waits_for_it = [this, branch](std::uint32_t i) {
    const auto& before = plan_->waits_for[i];
    return std::find(before.begin(), before.end(), branch) != before.end();
  };
  for (std::uint32_t i = 0; i < plan_->count(); ++i) {
    if (shares_[i].may_have_run && !shares_[i].undone && waits_for_it(i)) return false;
  }
  return true;
}

bool SagaStory::is_open(const Share& share) const {
  return aborted_ ? share.undoing && !share.undone : share.may_have_run && !share.acted;
}

bool SagaStory::idles(std::uint32_t branch, std::uint64_t now) const {
  const auto& share = shares_[branch];
  if (finished_ || share.out) return false;
  if (is_open(share)) return !share.parked && !(share.retries && share.not_before > now);
  if (aborted_) return share.may_have_run && !share.undoing && followers_undone(branch);
  return submitted_ && !share.may_have_run && (begun_ || now >= start_) &&
         predecessors_acted(branch);
}

bool SagaStory::is_over() const {
  return std::all_of(shares_.begin(), shares_.end(), [this](const Share& share) {
    return aborted_ ? (!share.may_have_run || share.undone) && !share.out : share.acted;
  });
}

std::uint64_t SagaStory::wake_up() const {
  if (finished_) return 0;
  Earliest earliest;
  if (!aborted_) earliest.consider(deadline());
  if (!aborted_ && submitted_ && !begun_) earliest.consider(start_);
  for (const auto& share : shares_) {
    if (share.retries) earliest.consider(share.not_before);
  }
  return earliest.at();
}

bool SagaStory::nothing_waits() const {
  return finished_ || ((aborted_ || begun_ || !submitted_) &&
                       std::none_of(shares_.begin(), shares_.end(),
                                    [](const Share& share) { return share.retries; }));
}

void SagaStory::rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
                     const Past& past) const {
  const auto examine = [&](Property property, bool holds) {
    findings.examine(property, holds, past);
  };
  bool awaited = core::next_due(transaction) != 0;
  for (std::uint32_t i = 0; i < plan_->count(); ++i) {
    const auto& branch = transaction.branches[i];
    const auto& share = shares_[i];
    awaited = awaited || share.out || share.parked;
    examine(Property::one_call_a_branch, branch.in_flight == share.out.has_value());
    examine(Property::no_idling, !idles(i, now));
    examine(Property::attempts_counted, branch.attempts_first == share.answers[0] &&
                                            branch.attempts_second == share.answers[1]);
  }
  examine(Property::no_idling, finished_ || !is_over());
  examine(Property::always_woken, finished_ || awaited);
  examine(Property::woken_in_time, core::next_due(transaction) == wake_up());
  examine(Property::status_is_true, transaction.finished() == finished_);
}

}  // namespace belay::test
