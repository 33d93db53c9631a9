#include "unit/core/two_phase_story.h"

#include <algorithm>

namespace belay::test {

// Walks one step and moves the story on.
class TwoPhaseStory::Examiner {
 public:
  Examiner(TwoPhaseStory& story, std::uint64_t now, Findings& findings, const Past& past)
      : story_(story),
        plan_(*story.plan_),
        now_(now),
        findings_(findings),
        past_(past),
        was_finished_(story.finished_),
        was_decided_(story.decided()) {}

  void event(const core::Event& event) {
    std::visit([this](const auto& one) { happens(one); }, event);
  }

  void record(const core::Record& record) {
    using core::RecordKind;
    examine(Property::final_is_final, !was_finished_);
    story_.tale_.record(record, now_, story_.shares_.size());
    ++records_;
    switch (record.kind) {
      case RecordKind::started: return started(record);
      case RecordKind::answered:
      case RecordKind::resolved: return answered(record);
      case RecordKind::edited: return edited(record);
      case RecordKind::hastened: return hastened(record);
      case RecordKind::parked: return story_.shares_[record.branch].park();
      case RecordKind::aborting: return decides(Decision::abort);
      case RecordKind::committing: return decides(Decision::commit);
      case RecordKind::finished: return finished(record.status);
      case RecordKind::added:
        examine(Property::words_allowed, std::exchange(adds_, false));
        story_.shares_.emplace_back();
        return;
      case RecordKind::submitted:
      case RecordKind::progressed:
      case RecordKind::concluded:
      case RecordKind::scheduled:
      case RecordKind::stopped:
      case RecordKind::prepared: return examine(Property::final_is_final, false);
    }
  }

  void effect(const core::Effect& effect) {
    examine(Property::final_is_final, !was_finished_);
    switch (effect.kind) {
      case core::EffectKind::call: return call(effect);
      case core::EffectKind::finished: ++told_the_end_; return;
      case core::EffectKind::branch_ended: ++told_a_branch_; return;
    }
  }

  void end(const core::Event& event) {
    examine(Property::finished_once,
            told_the_end_ == (story_.finished_ && !was_finished_ ? 1u : 0u));
    const bool commits_now = !was_decided_ && story_.decision_ == Decision::commit;
    const bool aborts_now = !was_decided_ && story_.decision_ == Decision::abort;
    if (limit_matters_) examine(Property::first_phase_limit, aborts_now == at_limit_);
    examine(Property::cancels_for_a_reason, aborts_now == must_abort_);
    const bool must_commit =
        plan_.driven ? word_submit_ : !was_decided_ && !must_abort_ && story_.all_succeeded();
    examine(Property::commits_at_once, commits_now == must_commit);
    examine(Property::words_allowed, !adds_);
    if (plan_.driven) {
      examine(Property::branch_told, told_a_branch_ == branches_ended_ + (aborts_now ? 1u : 0u));
    } else {
      examine(Property::branch_told, told_a_branch_ == 0);
    }
    if (second_failed_) examine(Property::second_phase_ends_nothing, records_ == 1);
    if (edits_) examine(Property::hastened_at_once, story_.shares_[*edits_].out.has_value());
    if (hastened_) examine(Property::hastened_at_once, hastens_ == 0 && story_.nothing_waits());
    if (!std::holds_alternative<core::Resumed>(event)) return;
    for (const auto& share : story_.shares_) {  // its handler may be there in this life
      examine(Property::no_idling, !share.parked || share.out || story_.finished_);
    }
  }

 private:
  void happens(const core::Begun&) {}
  void happens(const core::Registered&) {}
  void happens(const core::Progressed&) {}  // of a workflow
  void happens(const core::WordEnd&) {}
  void happens(const core::Due&) { meets_deadline(); }
  void happens(const core::WordStop&) {}  // told by StoppableStory
  void happens(const core::Hastened&) {
    hastened_ = true;
    for (const auto& share : story_.shares_) hastens_ += waits(share) ? 1 : 0;
    meets_deadline();
  }
  void happens(const core::Added&) {
    adds_ = true;
    meets_deadline();
  }
  void happens(const core::WordSubmit&) { word_submit_ = true; }
  void happens(const core::WordAbort& event) {
    if (event.resumes) {
      for (auto& share : story_.shares_) share.resume(story_.is_open(share), now_);
    }
    must_abort_ = true;
  }
  // Nobody calls it, and somebody will.
  bool waits(const Share& share) const {
    return !story_.finished_ && story_.is_open(share) && !share.out && !share.parked;
  }
  void happens(const core::WordResolve& event) {
    resolves_ = true;
    const auto op = story_.decision_ == Decision::none     ? plan_.first()
                    : story_.decision_ == Decision::commit ? plan_.commit()
                                                           : plan_.rollback();
    happens(core::Answered{event.branch, op, event.outcome});
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
    if (event.op != plan_.first() || was_decided_) return;
    const auto kind = event.outcome->kind();
    limit_matters_ = kind == OutcomeKind::unknown;
    at_limit_ = limit_matters_ && share.unanswered + 1 == plan_.retry_limit;
    must_abort_ = at_limit_ || (kind == OutcomeKind::failure && !plan_.driven);
  }
  void meets_deadline() { must_abort_ = !was_decided_ && story_.deadline() <= now_; }

  void started(const core::Record& record) {
    auto& share = story_.shares_[record.branch];
    if (record.op == plan_.first()) {
      examine(Property::first_phase_first, !story_.decided());
      examine(Property::first_phase_order, story_.may_begin(record.branch));
      share.tried = true;
    } else if (record.op == plan_.commit()) {
      examine(Property::never_both, story_.decision_ == Decision::commit);
      examine(Property::commits_when_all_succeeded, share.succeeded && !share.second);
      examine(Property::confirm_order,
              !plan_.in_order || story_.those_before(record.branch, &Share::done));
      share.second = true;
    } else {
      examine(Property::never_both,
              record.op == plan_.rollback() && story_.decision_ == Decision::abort);
      examine(Property::cancels_what_may_have_run, share.tried && !share.second);
      examine(Property::cancel_order, story_.those_behind_are_cancelled(record.branch));
      examine(Property::waits_for_own_call, !share.out);
      share.second = true;
    }
    share.open();
    if (plan_.is_empty(record.branch, record.op)) awaited_.empty(record.branch, record.op);
  }

  void answered(const core::Record& record) {
    examine(Property::attempts_counted, awaited_.takes(record));
    auto& share = story_.shares_[record.branch];
    const bool first = record.op == plan_.first();
    examine(Property::attempts_counted, resolves_ == (record.kind == core::RecordKind::resolved) ||
                                            plan_.is_empty(record.branch, record.op));
    if (record.kind == core::RecordKind::answered) ++share.answers[first ? 0 : 1];
    share.parked = share.retries = false;
    if (record.outcome == OutcomeKind::success) {
      (first ? share.succeeded : share.done) = true;
    } else if (first && record.outcome == OutcomeKind::failure) {
      share.refused = true;
    } else {
      share.unended(record.outcome, !first || (!was_decided_ && !must_abort_), now_);
      if (!first) {
        examine(Property::second_phase_for_ever, record.due_at == share.not_before);
        second_failed_ = true;
      }
    }
    if (first && !story_.decided() && (share.succeeded || share.refused)) ++branches_ended_;
  }

  void edited(const core::Record& record) {
    examine(Property::hastened_at_once, edits_ == record.branch);
    story_.shares_[record.branch].edit();
  }

  void hastened(const core::Record& record) {
    examine(Property::hastened_at_once, hastens_-- > 0);
    story_.shares_[record.branch].hasten();
  }

  void decides(Decision decision) {
    examine(Property::never_both, !story_.decided());
    if (decision == Decision::commit)
      examine(Property::commits_when_all_succeeded, story_.all_succeeded());
    story_.decision_ = decision;
    for (auto& share : story_.shares_) share.parked = share.retries = false;
  }

  void finished(Status status) {
    examine(Property::finished_once, !story_.finished_);
    const bool commit = story_.decision_ == Decision::commit;
    examine(Property::two_phase_status,
            story_.decided() && status == (commit ? Status::succeed : Status::failed));
    examine(commit ? Property::confirms_all : Property::cancels_all_that_may_have_run,
            story_.all_done());
    story_.finished_ = true;
  }

  void call(const core::Effect& effect) {
    auto& share = story_.shares_[effect.branch];
    const auto now_called = story_.decision_ == Decision::none     ? plan_.first()
                            : story_.decision_ == Decision::commit ? plan_.commit()
                                                                   : plan_.rollback();
    examine(Property::calls_what_is_open, effect.op == now_called && story_.is_open(share) &&
                                              !plan_.is_empty(effect.branch, effect.op));
    examine(Property::one_call_a_branch, !share.out);
    examine(Property::never_early, hastened_ || !share.retries || share.not_before <= now_);
    share.retries = false;
    share.out = effect.op;
  }

  void examine(Property property, bool holds) { findings_.examine(property, holds, past_); }

  TwoPhaseStory& story_;
  const TwoPhasePlan& plan_;
  std::uint64_t now_;
  Findings& findings_;
  const Past& past_;
  Awaited awaited_;
  unsigned records_ = 0;
  unsigned told_the_end_ = 0;
  unsigned told_a_branch_ = 0;
  unsigned branches_ended_ = 0;
  bool was_finished_;
  std::optional<std::uint32_t> edits_;  // the branch
  bool hastened_ = false;
  int hastens_ = 0;  // records that are yet to come
  bool resolves_ = false;
  bool was_decided_;
  bool adds_ = false;
  bool word_submit_ = false;
  bool must_abort_ = false;
  bool limit_matters_ = false;
  bool at_limit_ = false;
  bool second_failed_ = false;
};

TwoPhaseStory::TwoPhaseStory(const TwoPhasePlan& plan, std::uint64_t created_at)
    : plan_(&plan),
      shares_(plan.brought),
      tale_(plan.driven ? core::RecordKind::prepared : core::RecordKind::submitted, created_at),
      created_at_(created_at) {}

void TwoPhaseStory::step(const core::Event& event, const core::Context& context,
                         const core::Step& step, Findings& findings, const Past& past) {
  Examiner examiner(*this, context.now, findings, past);
  examiner.event(event);
  for (const auto& record : step.records) examiner.record(record);
  for (const auto& effect : step.effects) examiner.effect(effect);
  examiner.end(event);
}

bool TwoPhaseStory::is_open(const Share& share) const {
  return decided() ? share.second && !share.done
                   : share.tried && !share.succeeded && !share.refused;
}

bool TwoPhaseStory::those_before(std::uint32_t branch, bool Share::*what) const {
  return std::all_of(shares_.begin(), shares_.begin() + branch,
                     [what](const Share& share) { return share.*what; });
}

bool TwoPhaseStory::those_behind_are_cancelled(std::uint32_t branch) const {
  return !plan_->in_order ||
         std::all_of(shares_.begin() + branch + 1, shares_.end(),
                     [](const Share& share) { return !share.tried || share.done; });
}

bool TwoPhaseStory::may_begin(std::uint32_t branch) const {
  if (shares_[branch].tried) return false;
  return plan_->driven || !plan_->in_order || those_before(branch, &Share::succeeded);
}

bool TwoPhaseStory::all_succeeded() const {
  return those_before(static_cast<std::uint32_t>(shares_.size()), &Share::succeeded);
}

bool TwoPhaseStory::all_done() const {
  return std::all_of(shares_.begin(), shares_.end(), [this](const Share& share) {
    return share.done || (decision_ == Decision::abort && !share.tried);
  });
}

bool TwoPhaseStory::idles(std::uint32_t branch, std::uint64_t now) const {
  const auto& share = shares_[branch];
  if (finished_ || share.out) return false;
  if (is_open(share)) return !share.rests(now);
  switch (decision_) {
    case Decision::none: return may_begin(branch);
    case Decision::commit:
      return !share.second && (!plan_->in_order || those_before(branch, &Share::done));
    case Decision::abort: break;
  }
  return share.tried && !share.second && those_behind_are_cancelled(branch);
}

std::uint64_t TwoPhaseStory::deadline() const {
  return created_at_ + (plan_->timeout == 0 ? 35'000 : plan_->timeout);
}

std::uint64_t TwoPhaseStory::wake_up() const {
  Earliest earliest;
  if (finished_) return 0;
  if (!decided()) earliest.consider(deadline());
  for (const auto& share : shares_) {
    if (share.retries) earliest.consider(share.not_before);
  }
  return earliest.at();
}

bool TwoPhaseStory::nothing_waits() const {
  return finished_ || std::none_of(shares_.begin(), shares_.end(),
                                   [](const Share& share) { return share.retries; });
}

Status TwoPhaseStory::status() const {
  switch (decision_) {
    case Decision::none: return Status::prepared;
    case Decision::commit: return finished_ ? Status::succeed : Status::submitted;
    case Decision::abort: break;
  }
  return finished_ ? Status::failed : Status::aborting;
}

void TwoPhaseStory::examine_words(const core::Transaction& transaction, Findings& findings,
                                  const Past& past) const {
  const bool driven = plan_->driven && !decided();
  const bool allowed = core::may_add_branch(transaction).has_value() == driven &&
                       core::may_submit(transaction).has_value() == (driven && all_succeeded()) &&
                       core::may_abort(transaction).has_value() == !decided();
  findings.examine(Property::words_allowed, allowed, past);
  if (!decided())
    findings.examine(Property::default_deadline, core::deadline_of(transaction) == deadline(),
                     past);
}

void TwoPhaseStory::examine_outcomes(const core::Transaction& transaction, Findings& findings,
                                     const Past& past) const {
  for (std::uint32_t i = 0; i < shares_.size(); ++i) {
    const auto outcome = core::first_phase_outcome(transaction, i);
    const auto& share = shares_[i];
    bool told = false;
    if (share.succeeded || share.refused) {
      told = outcome &&
             outcome->kind() == (share.refused ? OutcomeKind::failure : OutcomeKind::success);
    } else if (decided()) {
      told = outcome && outcome->kind() == OutcomeKind::unknown;
    } else {
      told = !outcome;
    }
    findings.examine(Property::branch_outcome, told, past);
  }
}

void TwoPhaseStory::examine_state(const core::Transaction& transaction, Findings& findings,
                                  const Past& past) const {
  tale_.examine(transaction, findings, past);
  examine_words(transaction, findings, past);
  examine_outcomes(transaction, findings, past);
}

void TwoPhaseStory::rest(const core::Transaction& transaction, std::uint64_t now,
                         Findings& findings, const Past& past) const {
  const auto examine = [&](Property property, bool holds) {
    findings.examine(property, holds, past);
  };
  bool awaited = core::next_due(transaction) != 0;
  const bool all_there = transaction.branches.size() == shares_.size();
  examine(Property::words_allowed, all_there);
  for (std::uint32_t i = 0; all_there && i < shares_.size(); ++i) {
    const auto& branch = transaction.branches[i];
    const auto& share = shares_[i];
    awaited = awaited || share.out || share.parked;
    examine(Property::one_call_a_branch, branch.in_flight == share.out.has_value());
    examine(Property::no_idling, !idles(i, now));
    examine(Property::attempts_counted, branch.attempts_first == share.answers[0] &&
                                            branch.attempts_second == share.answers[1]);
  }
  examine(Property::no_idling, finished_ || !decided() || !all_done());
  examine(Property::always_woken, finished_ || awaited);
  examine(Property::woken_in_time, core::next_due(transaction) == wake_up());
  examine(Property::two_phase_status, transaction.status == status());
}

}  // namespace belay::test
