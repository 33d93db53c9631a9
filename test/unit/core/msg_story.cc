#include "unit/core/msg_story.h"

#include <algorithm>

#include "belay/msg.h"

namespace belay::test {

// Walks one step and moves the story on.
class MsgStory::Examiner {
 public:
  Examiner(MsgStory& story, const core::Context& context, Findings& findings, const Past& past)
      : story_(story),
        plan_(*story.plan_),
        now_(context.now),
        topics_(*context.topics),
        findings_(findings),
        past_(past),
        decision_before_(story.decision_),
        was_finished_(story.finished_),
        was_asked_(story.asked_) {}

  void event(const core::Event& event) {
    std::visit([this](const auto& one) { happens(one); }, event);
  }

  void record(const core::Record& record) {
    using core::RecordKind;
    examine(Property::final_is_final, !was_finished_);
    story_.tale_.record(record, now_, story_.shares_.size());
    ++records_;
    if (record.kind == RecordKind::finished) ++ends_;
    switch (record.kind) {
      case RecordKind::started: return started(record);
      case RecordKind::answered:
      case RecordKind::resolved: return answered(record);
      case RecordKind::edited: return edited(record);
      case RecordKind::hastened: return hastened(record);
      case RecordKind::parked: return story_.shares_[record.branch].park();
      case RecordKind::aborting: return decides(Decision::abort);
      case RecordKind::committing:
        decides(Decision::submit);
        story_.start_ = now_ + plan_.delay;
        examine(Property::starts_after_delay, record.due_at == story_.start_);
        return fan_out();
      case RecordKind::added: return added();
      case RecordKind::finished: return finished(record.status);
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
      case core::EffectKind::call: ++calls_; return call(effect);
      case core::EffectKind::finished: ++told_the_end_; return;
      // nobody waits for one: no branch of a message is its caller's
      case core::EffectKind::branch_ended: return;
    }
  }

  void end(const core::Event& event) {
    examine(Property::finished_once,
            told_the_end_ == (story_.finished_ && !was_finished_ ? 1u : 0u));
    const bool decides = decision_before_ != story_.decision_;
    examine(Property::submitted_for_a_reason,
            (decides && story_.decision_ == Decision::submit) == must_submit_);
    examine(Property::fails_for_a_reason,
            (decides && story_.decision_ == Decision::abort) == must_abort_);
    examine(Property::asked_in_time, (story_.asked_ && !was_asked_) == must_ask_);
    examine(Property::goes_to_subscribers, awaited_topics_.empty());
    if (delivery_failed_) examine(Property::delivery_ends_nothing, records_ == 1);
    if (late_answer_) examine(Property::word_before_answer, records_ == 1 + ends_ && calls_ == 0);
    if (edits_) examine(Property::hastened_at_once, story_.shares_[*edits_].out.has_value());
    if (hastened_) examine(Property::hastened_at_once, hastens_ == 0 && story_.nothing_waits());
    if (!std::holds_alternative<core::Resumed>(event)) return;
    for (const auto& share : story_.shares_) {  // its handler may be there in this life
      examine(Property::no_idling, !share.parked || share.out || story_.finished_);
    }
  }

 private:
  void happens(const core::Begun&) {
    if (story_.decision_ == Decision::submit) fan_out();
  }
  void happens(const core::Added&) {}
  void happens(const core::Registered&) {}
  void happens(const core::Progressed&) {}  // of a workflow
  void happens(const core::WordEnd&) {}
  void happens(const core::Due&) { meets_deadline(); }
  void happens(const core::WordStop&) {}  // told by StoppableStory
  void happens(const core::Hastened&) {
    hastened_ = true;
    for (std::uint32_t i = 0; i < story_.shares_.size(); ++i) {
      const auto& share = story_.shares_[i];
      const bool waits = !story_.finished_ && story_.is_open(i) && !share.out && !share.parked;
      hastens_ += waits ? 1 : 0;
    }
    meets_deadline();
  }
  void happens(const core::WordSubmit&) { must_submit_ = true; }
  void happens(const core::WordAbort& event) {
    if (event.resumes) {
      for (std::uint32_t i = 0; i < story_.shares_.size(); ++i)
        story_.shares_[i].resume(story_.is_open(i), now_);
    }
    must_abort_ = true;
  }
  void happens(const core::WordResolve& event) {
    resolves_ = true;
    const auto op = story_.is_query(event.branch) ? Op::query : Op::action;
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
    for (std::uint32_t i = 0; i < story_.shares_.size(); ++i)
      story_.shares_[i].resume(story_.is_open(i), now_);
    meets_deadline();
  }
  void happens(const core::Answered& event) {
    // A yes counts as no answer while nobody is subscribed.
    static const auto waits = Outcome::unknown("");
    story_.shares_[event.branch].out.reset();
    late_answer_ = event.op == Op::query && decision_before_ != Decision::none;
    auto counted = event;
    const bool decides = event.op == Op::query && !late_answer_;
    if (decides && event.outcome->kind() == OutcomeKind::success && goes_to_nobody())
      counted.outcome = &waits;
    awaited_.event(counted);
    if (!decides) return;
    must_submit_ = counted.outcome->kind() == OutcomeKind::success;
    must_abort_ = counted.outcome->kind() == OutcomeKind::failure;
  }
  bool goes_to_nobody() const {
    for (std::uint32_t i = 0; i < plan_.count(); ++i) {
      if (plan_.deliveries[i].kind != DeliveryKind::topic) continue;
      const auto topic = topics_.find(plan_.target(i).substr(kTopicPrefix.size()));
      if (topic == topics_.end() || topic->second.subscribers.empty()) return true;
    }
    return false;
  }
  void meets_deadline() {
    if (decision_before_ != Decision::none || story_.deadline() > now_) return;
    (plan_.has_query ? must_ask_ : must_abort_) = !was_asked_;
  }

  // From now on one `added` record a topic is awaited, in order.
  void fan_out() {
    for (std::uint32_t i = 0; i < plan_.count(); ++i) {
      if (plan_.deliveries[i].kind != DeliveryKind::topic) continue;
      const auto topic = topics_.find(plan_.target(i).substr(kTopicPrefix.size()));
      if (topic == topics_.end()) continue;
      auto& group = awaited_topics_.emplace_back();
      for (const auto& [target, remark] : topic->second.subscribers) {
        Share share;
        share.target = target;
        share.place = i;
        share.is_subscriber = true;
        group.push_back(share);
      }
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

  void added() {
    examine(Property::goes_to_subscribers, !awaited_topics_.empty());
    if (awaited_topics_.empty()) return;
    for (auto& share : awaited_topics_.front()) story_.shares_.push_back(std::move(share));
    awaited_topics_.pop_front();
  }

  void started(const core::Record& record) {
    auto& share = story_.shares_[record.branch];
    if (story_.is_query(record.branch)) {
      examine(Property::asked_in_time, record.op == Op::query && !story_.asked_ &&
                                           story_.decision_ == Decision::none &&
                                           story_.deadline() <= now_);
      story_.asked_ = true;
    } else {
      examine(Property::delivers_when_submitted,
              record.op == Op::action && story_.decision_ == Decision::submit && !share.begun);
      examine(Property::delivery_order,
              plan_.concurrent || story_.those_before_are_done(record.branch));
      examine(Property::starts_after_delay, hastened_ || story_.begun_ || now_ >= story_.start_);
      share.begun = story_.begun_ = true;
    }
    share.open();
    if (share.target.empty()) awaited_.empty(record.branch, record.op);
  }

  void answered(const core::Record& record) {
    examine(Property::attempts_counted, awaited_.takes(record));
    auto& share = story_.shares_[record.branch];
    const bool is_query = story_.is_query(record.branch);
    examine(Property::attempts_counted,
            resolves_ == (record.kind == core::RecordKind::resolved) || share.target.empty());
    if (record.kind == core::RecordKind::answered) ++share.answers[0];
    share.parked = share.retries = false;
    if (record.outcome == OutcomeKind::success) {
      (is_query ? share.answered.emplace() : share.done) = true;
    } else if (is_query && record.outcome == OutcomeKind::failure) {
      share.answered = false;
    } else {
      share.unended(record.outcome, !late_answer_, now_);
      if (late_answer_) return;
      examine(is_query ? Property::asked_again : Property::delivered_for_ever,
              record.due_at == share.not_before);
      delivery_failed_ = !is_query;
    }
  }

  void decides(Decision decision) {
    examine(decision == Decision::submit ? Property::submitted_for_a_reason
                                         : Property::fails_for_a_reason,
            story_.decision_ == Decision::none);
    story_.decision_ = decision;
    for (auto& share : story_.shares_) share.parked = share.retries = false;
  }

  void finished(Status status) {
    examine(Property::finished_once, !story_.finished_);
    const bool submitted = story_.decision_ == Decision::submit;
    examine(Property::msg_status, story_.decision_ != Decision::none &&
                                      status == (submitted ? Status::succeed : Status::failed));
    examine(Property::waits_for_query, story_.is_over());
    if (!submitted) examine(Property::delivers_when_submitted, story_.none_begun());
    story_.finished_ = true;
  }

  void call(const core::Effect& effect) {
    auto& share = story_.shares_[effect.branch];
    const bool is_query = story_.is_query(effect.branch);
    examine(Property::calls_what_is_open, effect.op == (is_query ? Op::query : Op::action) &&
                                              story_.is_open(effect.branch) &&
                                              !share.target.empty());
    if (!is_query) examine(Property::delivers_when_submitted, story_.decision_ == Decision::submit);
    examine(Property::one_call_a_branch, !share.out);
    examine(Property::never_early, hastened_ || !share.retries || share.not_before <= now_);
    share.retries = false;
    share.out = effect.op;
  }

  void examine(Property property, bool holds) { findings_.examine(property, holds, past_); }

  MsgStory& story_;
  const MsgPlan& plan_;
  std::uint64_t now_;
  const core::Topics& topics_;
  Findings& findings_;
  const Past& past_;
  Awaited awaited_;
  std::deque<std::vector<Share>> awaited_topics_;
  unsigned records_ = 0;
  unsigned ends_ = 0;
  unsigned calls_ = 0;
  unsigned told_the_end_ = 0;
  Decision decision_before_;
  bool was_finished_;
  std::optional<std::uint32_t> edits_;  // the branch
  bool hastened_ = false;
  int hastens_ = 0;  // records that are yet to come
  bool resolves_ = false;
  bool was_asked_;
  bool must_submit_ = false;
  bool must_abort_ = false;
  bool must_ask_ = false;
  bool late_answer_ = false;
  bool delivery_failed_ = false;
};

MsgStory::MsgStory(const MsgPlan& plan, std::uint64_t created_at)
    : plan_(&plan),
      shares_(plan.count() + (plan.has_query ? 1 : 0)),
      tale_(plan.driven ? core::RecordKind::prepared : core::RecordKind::submitted, created_at),
      created_at_(created_at),
      start_(created_at + plan.delay),
      decision_(plan.driven ? Decision::none : Decision::submit) {
  for (std::uint32_t i = 0; i < plan.count(); ++i) {
    shares_[i].place = i;
    if (plan.deliveries[i].kind == DeliveryKind::plain) shares_[i].target = plan.target(i);
  }
  if (plan.has_query) shares_.back().target = "query";
}

void MsgStory::step(const core::Event& event, const core::Context& context, const core::Step& step,
                    Findings& findings, const Past& past) {
  Examiner examiner(*this, context, findings, past);
  examiner.event(event);
  for (const auto& record : step.records) examiner.record(record);
  for (const auto& effect : step.effects) examiner.effect(effect);
  examiner.end(event);
}

bool MsgStory::is_open(std::uint32_t branch) const {
  const auto& share = shares_[branch];
  if (is_query(branch)) return decision_ == Decision::none && asked_ && !share.answered;
  return decision_ == Decision::submit && share.begun && !share.done;
}

// A subscriber comes after its topic and the topic's earlier subscribers, before the next delivery.
bool MsgStory::those_before_are_done(std::uint32_t branch) const {
  const auto rank = [this](std::uint32_t i) {
    return std::pair(shares_[i].place, shares_[i].is_subscriber ? i + 1 : 0);
  };
  for (std::uint32_t i = 0; i < shares_.size(); ++i) {
    if (!is_query(i) && rank(i) < rank(branch) && !shares_[i].done) return false;
  }
  return true;
}

bool MsgStory::all_delivered() const {
  for (std::uint32_t i = 0; i < shares_.size(); ++i) {
    if (!is_query(i) && !shares_[i].done) return false;
  }
  return true;
}

bool MsgStory::none_begun() const {
  return std::none_of(shares_.begin(), shares_.end(), [](const Share& one) { return one.begun; });
}

bool MsgStory::is_over() const {
  if (query_is_out()) return false;
  return decision_ == Decision::submit ? all_delivered() : decision_ == Decision::abort;
}

bool MsgStory::idles(std::uint32_t branch, std::uint64_t now) const {
  const auto& share = shares_[branch];
  if (finished_ || share.out) return false;
  if (is_open(branch)) return !share.rests(now);
  if (is_query(branch)) return decision_ == Decision::none && !asked_ && deadline() <= now;
  return decision_ == Decision::submit && !share.begun && (begun_ || now >= start_) &&
         (plan_->concurrent || those_before_are_done(branch));
}

std::uint64_t MsgStory::deadline() const {
  return created_at_ + (plan_->timeout == 0 ? 35'000 : plan_->timeout);
}

std::uint64_t MsgStory::wake_up() const {
  if (finished_) return 0;
  Earliest earliest;
  if (decision_ == Decision::none && !asked_) earliest.consider(deadline());
  if (decision_ == Decision::submit && !begun_) earliest.consider(start_);
  for (const auto& share : shares_) {
    if (share.retries) earliest.consider(share.not_before);
  }
  return earliest.at();
}

bool MsgStory::nothing_waits() const {
  if (decision_ == Decision::submit && !begun_ && !all_delivered()) return false;
  return finished_ || std::none_of(shares_.begin(), shares_.end(),
                                   [](const Share& share) { return share.retries; });
}

Status MsgStory::status() const {
  switch (decision_) {
    case Decision::none: return Status::prepared;
    case Decision::submit: return finished_ ? Status::succeed : Status::submitted;
    case Decision::abort: break;
  }
  return finished_ ? Status::failed : Status::aborting;
}

void MsgStory::examine_words(const core::Transaction& transaction, Findings& findings,
                             const Past& past) const {
  const bool undecided = decision_ == Decision::none;
  const bool allowed = !core::may_add_branch(transaction) &&
                       core::may_submit(transaction).has_value() == undecided &&
                       core::may_abort(transaction).has_value() == undecided;
  findings.examine(Property::words_allowed, allowed, past);
  if (undecided) {
    findings.examine(Property::default_deadline,
                     core::deadline_of(transaction) == (asked_ ? 0 : deadline()), past);
  }
}

void MsgStory::examine_targets(const core::Transaction& transaction, Findings& findings,
                               const Past& past) const {
  bool all_true = transaction.branches.size() == shares_.size();
  for (std::uint32_t i = 0; all_true && i < shares_.size(); ++i) {
    const auto& share = shares_[i];
    const auto step = transaction.definition.step(i);
    if (is_query(i) || share.is_subscriber) all_true = step.first == share.target;
    const auto payload = share.edited ? std::string("edited") : plan_->payload(share.place);
    if (!is_query(i)) all_true = all_true && step.payload == payload;
  }
  findings.examine(Property::goes_to_subscribers, all_true, past);
}

void MsgStory::examine_state(const core::Transaction& transaction, Findings& findings,
                             const Past& past) const {
  tale_.examine(transaction, findings, past);
  examine_words(transaction, findings, past);
  examine_targets(transaction, findings, past);
}

void MsgStory::rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
                    const Past& past) const {
  const auto examine = [&](Property property, bool holds) {
    findings.examine(property, holds, past);
  };
  bool awaited = core::next_due(transaction) != 0;
  const bool all_there = transaction.branches.size() == shares_.size();
  for (std::uint32_t i = 0; all_there && i < shares_.size(); ++i) {
    const auto& branch = transaction.branches[i];
    const auto& share = shares_[i];
    awaited = awaited || share.out || share.parked;
    examine(Property::one_call_a_branch, branch.in_flight == share.out.has_value());
    examine(Property::no_idling, !idles(i, now));
    examine(Property::attempts_counted,
            branch.attempts_first == share.answers[0] && branch.attempts_second == 0);
  }
  examine(Property::waits_for_query, finished_ == is_over());
  examine(Property::always_woken, finished_ || awaited);
  examine(Property::woken_in_time, core::next_due(transaction) == wake_up());
  examine(Property::msg_status, transaction.status == status());
}

}  // namespace belay::test
