#include "core/decide.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/mark.h"
#include "base/secrets.h"
#include "belay/check.h"
#include "core/apply.h"
#include "core/decision.h"

namespace belay::core {
namespace {

const Machine& machine_of(const Transaction& transaction) {
  if (transaction.stopped) return kStoppedMachine;
  static constexpr std::array<const Machine*, 5> kMachines = {
      &kSagaMachine, &kTwoPhaseMachine, &kTwoPhaseMachine, &kMsgMachine, &kWorkflowMachine};
  return *kMachines[static_cast<std::size_t>(transaction.mode())];
}

std::string_view cut(std::string_view text) { return text.substr(0, kReasonBytesMax); }

enum class Parked { skip, call };

// Calls all branches that may be called and are due.
void call_due_branches(Decision& decision, Parked parked) {
  const auto& transaction = decision.transaction();
  for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
    const auto& branch = decision.branch(i);
    if (!is_pending(transaction, i) || branch.in_flight || !decision.is_time(branch.due_at))
      continue;
    if (branch.parked && parked == Parked::skip) continue;
    decision.call_again(i, current_op(transaction, i));
  }
}

struct Dispatch {
  Decision& decision;
  Transaction& transaction;
  const Machine& machine;

  void operator()(const Begun&) const {
    if (transaction.status == Status::submitted) decision.fan_out();
    machine.due(decision);
  }
  void operator()(const Resumed&) const {
    for (auto& branch : transaction.branches) branch.in_flight = false;
    // The machine runs first: nothing goes forward if the deadline has passed meanwhile.
    machine.due(decision);
    // Operations that may have been called and have not ended are called again. A missing handler
    // may be registered after the restart.
    call_due_branches(decision, Parked::call);
  }
  void operator()(const Due&) const {
    machine.due(decision);
    call_due_branches(decision, Parked::skip);
  }
  void operator()(const Answered& event) const {
    auto& branch = transaction.branches[event.branch];
    BELAY_CHECK(branch.in_flight != event.late);
    branch.in_flight = false;
    machine.answered(decision, event.branch, event.op, *event.outcome);
  }
  void operator()(const Unregistered& event) const {
    auto& branch = transaction.branches[event.branch];
    BELAY_CHECK(branch.in_flight);
    branch.in_flight = false;
    BELAY_CHECK(is_pending(transaction, event.branch) &&
                event.op == current_op(transaction, event.branch));
    if (branch.parked) return;
    const auto target = transaction.definition.target(event.branch, event.op);
    decision.parked(event.branch, event.op,
                    "no handler named '" + std::string(target) + "' is registered");
  }
  void operator()(const HeldBack& event) const {
    const auto& branch = transaction.branches[event.branch];
    BELAY_CHECK(branch.in_flight);
    if (!is_pending(transaction, event.branch) || branch.parked) return;
    std::string why(event.why);
    if (branch.last_error) why += "; the last error: " + *branch.last_error;
    decision.parked(event.branch, current_op(transaction, event.branch), std::move(why));
  }
  void operator()(const Withdrawn& event) const {
    auto& branch = transaction.branches[event.branch];
    BELAY_CHECK(branch.in_flight);
    BELAY_MARK(call_withdrawn);
    if (transaction.definition.is_query(event.branch)) BELAY_MARK(query_withdrawn);
    branch.in_flight = false;
    if (!event.until_restart) machine.due(decision);
  }
  void operator()(const Registered& event) const {
    const auto& branch = transaction.branches[event.branch];
    if (is_pending(transaction, event.branch) && branch.parked && !branch.in_flight) {
      BELAY_MARK(parked_then_registered);
      decision.call_again(event.branch, current_op(transaction, event.branch));
    }
  }
  void operator()(const Added& event) const {
    decision.add(std::string(event.step));
    machine.due(decision);
  }
  void operator()(const WordSubmit& event) const {
    decision.commit(event.delay);
    machine.due(decision);
  }
  void operator()(const WordAbort& event) const {
    decision.abort(std::string(event.reason));
    machine.due(decision);
    if (event.resumes) call_due_branches(decision, Parked::call);
  }
  void operator()(const WordStop& event) const {
    decision.stop(event.reason.empty() ? "stopped by an operator" : std::string(event.reason));
    kStoppedMachine.due(decision);
  }
  void operator()(const Hastened& event) const {
    decision.hasten();
    if (!transaction.stopped) {
      for (std::uint32_t i = 0; i < decision.branch_count(); ++i)
        if (is_pending(transaction, i) && !decision.branch(i).in_flight &&
            !decision.branch(i).parked)
          decision.hastened(i, event.reason);
    }
    machine.due(decision);
    call_due_branches(decision, Parked::skip);
  }
  void operator()(const WordResolve& event) const {
    auto& branch = transaction.branches[event.branch];
    BELAY_CHECK(branch.in_flight == event.withdrawn);
    branch.in_flight = false;
    decision.resolve(event.reason);
    machine.answered(decision, event.branch, current_op(transaction, event.branch), *event.outcome);
    if (event.resumes) call_due_branches(decision, Parked::call);
  }
  void operator()(const WordEdit& event) const {
    auto& branch = transaction.branches[event.branch];
    BELAY_CHECK(branch.in_flight == event.withdrawn);
    branch.in_flight = false;
    decision.edit(event.branch, event.op, event.text);
    if (event.resumes) return operator()(Resumed{});
    if (is_pending(transaction, event.branch)) {
      decision.call_again(event.branch, current_op(transaction, event.branch));
    } else if (transaction.mode() == Mode::workflow) {
      machine.due(decision);  // it may have had no callback
    }
  }
  void operator()(const Progressed& event) const { decision.progress(event.step); }
  void operator()(const WordEnd& event) const { decision.conclude(*event.end); }
};

}  // namespace

Retry Decision::retry_of(std::uint32_t branch) const {
  return transaction_.definition.retry(branch).value_or(context_.options->retry);
}

void Decision::emit(Record record) {
  record.id = transaction_.id;
  record.at = context_.now;
  const auto applied = apply(transaction_, record);
  BELAY_CHECK(applied.has_value());  // an illegal decision must never reach the disk
  step_.records.push_back(record);
}

void Decision::start(std::uint32_t branch, Op op) {
  emit({.kind = RecordKind::started, .branch = branch, .op = op});
  const auto target = transaction_.definition.target(branch, op);
  // A topic was replaced by its subscribers, which are branches of their own.
  const bool calls_nobody =
      target.empty() || (transaction_.mode() == Mode::msg && is_topic(target));
  if (calls_nobody) {
    emit({.kind = RecordKind::answered,
          .branch = branch,
          .op = op,
          .outcome = OutcomeKind::success});
  } else {
    call_again(branch, op);
  }
}

void Decision::schedule(std::uint32_t branch, Op op, std::uint64_t at) {
  emit({.kind = RecordKind::scheduled, .branch = branch, .op = op, .due_at = at});
}

void Decision::call_again(std::uint32_t branch, Op op) {
  BELAY_CHECK(!transaction_.branches[branch].in_flight);
  transaction_.branches[branch].in_flight = true;
  step_.effects.push_back({EffectKind::call, branch, op});
}

void Decision::answered(std::uint32_t branch, Op op, const Outcome& outcome, std::uint64_t due_at) {
  if (resolves_) {
    return emit({.kind = RecordKind::resolved,
                 .branch = branch,
                 .op = op,
                 .outcome = outcome.kind(),
                 .text = cut(*std::exchange(resolves_, std::nullopt))});
  }
  emit({.kind = RecordKind::answered,
        .branch = branch,
        .op = op,
        .outcome = outcome.kind(),
        .due_at = due_at,
        .text =
            outcome.kind() == OutcomeKind::success ? std::string_view() : cut(outcome.reason())});
}

void Decision::hastened(std::uint32_t branch, std::string_view reason) {
  emit({.kind = RecordKind::hastened,
        .branch = branch,
        .op = current_op(transaction_, branch),
        .text = cut(keep(std::string(reason)))});
}

void Decision::edit(std::uint32_t branch, Op op, std::string_view text) {
  emit({.kind = RecordKind::edited, .branch = branch, .op = op, .text = keep(std::string(text))});
}

std::string_view Decision::keep(std::string text) {
  return step_.texts.emplace_back(std::move(text));
}

void Decision::parked(std::uint32_t branch, Op op, std::string why) {
  emit({.kind = RecordKind::parked, .branch = branch, .op = op, .text = cut(keep(std::move(why)))});
}

void Decision::add(std::string step) {
  emit({.kind = RecordKind::added, .text = keep(std::move(step))});
}

void Decision::abort(std::string why) {
  emit({.kind = RecordKind::aborting, .text = cut(keep(std::move(why)))});
  if (transaction_.driven) tell_branch(0);
}

void Decision::stop(std::string why) {
  emit({.kind = RecordKind::stopped, .text = cut(keep(std::move(why)))});
  if (transaction_.driven) tell_branch(0);
}

void Decision::commit(Millis at_least) {
  const auto delay =
      static_cast<std::uint64_t>(std::max(transaction_.definition.delay(), at_least).count());
  emit({.kind = RecordKind::committing, .due_at = context_.now + delay});
  fan_out();
}

void Decision::fan_out() {
  if (transaction_.mode() != Mode::msg || context_.topics == nullptr) return;
  const auto asked = branch_count();
  for (std::uint32_t i = 0; i < asked; ++i) {
    const auto target = transaction_.definition.step(i).first;
    if (!is_topic(target) || transaction_.definition.is_query(i)) continue;
    const auto topic = context_.topics->find(target.substr(kTopicPrefix.size()));
    if (topic == context_.topics->end()) continue;
    if (transaction_.driven) BELAY_MARK(prepared_fans_out);
    std::string steps;
    for (const auto& [subscriber, remark] : topic->second.subscribers)
      steps += Definition::encode_subscriber(subscriber, i);
    add(std::move(steps));
  }
}

FanOut Decision::fan_out_now() const {
  if (context_.topics == nullptr) return FanOut::possible;
  std::size_t branches = 0;
  for (std::uint32_t i = 0; i < branch_count(); ++i) {
    const auto target = transaction_.definition.step(i).first;
    if (transaction_.definition.is_query(i)) continue;
    ++branches;
    if (!is_topic(target)) continue;
    const auto topic = context_.topics->find(target.substr(kTopicPrefix.size()));
    if (topic == context_.topics->end() || topic->second.subscribers.empty())
      return FanOut::to_nobody;
    branches += topic->second.subscribers.size();
  }
  return branches <= context_.options->limits.branches_max ? FanOut::possible : FanOut::too_large;
}

void Decision::progress(std::string_view step) {
  emit({.kind = RecordKind::progressed, .text = keep(std::string(step))});
}

void Decision::conclude(const WorkflowEnd& end) {
  emit({.kind = RecordKind::concluded,
        .text = keep(encode_conclusion({cut(end.reason), end.result}))});
  finish(end.status);
}

void Decision::finish(Status status) {
  emit({.kind = RecordKind::finished, .status = status});
  step_.effects.push_back({EffectKind::finished, 0, Op::action});
}

void Decision::tell_branch(std::uint32_t branch) {
  step_.effects.push_back({EffectKind::branch_ended, branch, Op::action});
}

std::string describe_branch(const Transaction& transaction, std::uint32_t branch, Op op,
                            std::string_view what) {
  std::string text = "branch ";
  text.append(transaction.definition.branch_id(branch).view())
      .append(" (")
      .append(base::without_secrets(transaction.definition.target(branch, op)))
      .append(")");
  if (!what.empty()) text.append(": ").append(what);
  return text;
}

void decide(Transaction& transaction, const Event& event, const Context& context, Step& step) {
  step.records.clear();
  step.effects.clear();
  step.texts.clear();
  Decision decision(transaction, context, step);
  std::visit(Dispatch{decision, transaction, machine_of(transaction)}, event);
}

}  // namespace belay::core
