// Branches: a call is made, an outcome comes back.
#include "base/mark.h"
#include "core/apply.h"
#include "core/ops.h"
#include "engine/coordinator.h"
#include "engine/limits.h"

namespace belay::engine {
namespace {

// True if this outcome ends the operation; false if the call would be repeated anyway.
bool ends_it(Mode mode, Op op, OutcomeKind kind) {
  if (kind == OutcomeKind::success) return mode != Mode::workflow;
  return kind == OutcomeKind::failure && core::takes_no(mode, op);
}

}  // namespace

void Coordinator::call(Live& live, std::uint32_t branch, Op op) {
  // The engine is closing. The call is made after the next open, because the record that the branch
  // may have run is on disk.
  if (phase_ != Phase::running) return;
  if (!is_wanted(live, branch, op)) return decide(live, core::Withdrawn{branch});
  if (!options_.makes_calls) return decide(live, core::Withdrawn{branch, true});
  const auto begun = calls_.begin(live, branch, op, time_.monotonic());
  switch (begun.way) {
    case OutgoingCalls::Way::under_way: return;
    case OutgoingCalls::Way::answered: return on_outcome(live, branch, op, *begun.outcome);
    case OutgoingCalls::Way::waits_for_handler: return note_stuck(live);
    case OutgoingCalls::Way::held: return decide(live, core::HeldBack{branch, begun.why});
    case OutgoingCalls::Way::unregistered: break;
  }
  // The transaction is stuck until the handler is registered.
  parked_.add(live.transaction.definition.target(branch, op), live);
  live.was_parked = true;
  decide(live, core::Unregistered{branch, op});
}

void Coordinator::on_outcome(Live& live, std::uint32_t branch, Op op, const Outcome& outcome) {
  figures_.count(outcome);
  decide(live, core::Answered{branch, op, &outcome});
}

void Coordinator::start_waiting_calls() {
  if (phase_ != Phase::running) return;
  budget_.spend_on(Share::called);
  while (budget_.has_room()) {
    const auto next = calls_.take_next();
    if (!next) return;
    if (calls_.send(*next, time_.monotonic())) continue;
    call(*next->call.live, next->call.branch, next->call.op);
  }
}

void Coordinator::withdraw_unwanted(Live& live) {
  const auto withdrawn = calls_.withdraw_unwanted(live);
  if (withdrawn.empty()) return;
  note_stuck(live);
  for (const auto branch : withdrawn) decide(live, core::Withdrawn{branch});
}

// A host that is down for long makes no attempt of a waiting call fail, and the call would never
// show as stuck. What has no room in this batch is found again at the next interval.
void Coordinator::note_held_back() {
  if (phase_ != Phase::running || disk_.refuses()) return;
  budget_.spend_on(Share::timed);
  for (const auto& held : calls_.held_back(time_.monotonic())) {
    if (!budget_.has_room()) return;
    decide(*held.live, core::HeldBack{held.branch, held.why});
  }
}

void Coordinator::lane_opened(ports::Lane lane) {
  if (calls_.open(lane)) ports_.alarm.wake();
}

void Coordinator::answer(ports::CallId id, const Outcome& outcome) {
  // The call was given up because its time had passed.
  if (!calls_.is_out(id)) return BELAY_MARK(answer_after_timeout);
  if (phase_ == Phase::closed) return static_cast<void>(calls_.take(id));
  time_.tick(ports_.clock);
  budget_.spend_on(Share::called);
  if (calls_.has_answers() || !budget_.has_room()) return calls_.keep_answer(id, outcome);
  take_answer({id, outcome});
}

void Coordinator::take_answers() {
  budget_.spend_on(Share::called);
  while (calls_.has_answers() && budget_.has_room()) take_answer(calls_.take_answer());
}

void Coordinator::take_answer(const OutgoingCalls::Answer& answer) {
  const auto taken = calls_.take(answer.id);
  if (!taken) return BELAY_MARK(answer_after_timeout);  // this is a second answer
  const auto& call = taken->call;
  if (taken->given_up) return come_back(answer.id, call, answer.outcome);
  on_outcome(*call.live, call.branch, call.op, answer.outcome);
}

// A handler has returned after its call's time had passed. No other call of its branch was made
// meanwhile. So if the answer ends the operation, and the operation is still wanted, the answer
// counts as if it had come in time. Any other answer means no more than the timeout did; the call
// that waits behind the handler goes on.
void Coordinator::come_back(ports::CallId id, const PendingCall& former, const Outcome& outcome) {
  auto& live = *former.live;
  --live.running_on;
  if (live.forgotten) return let_go(live);
  const auto& branch = live.transaction.branches[former.branch];
  const auto waiting = calls_.waiting_op(live, former.branch);
  // A refusal of values that have changed since is no answer to the new ones. And what is committed
  // and can go to nobody is asked for again.
  const bool is_outdated = former.is_outdated && outcome.kind() == OutcomeKind::failure;
  const bool goes_nowhere = former.op == Op::query && outcome.kind() == OutcomeKind::success &&
                            !subscriptions_.check(live.transaction.definition);
  // The branch's next call may be decided but not made yet: then that call is made.
  const bool counts = !is_outdated && !goes_nowhere &&
                      ends_it(live.transaction.mode(), former.op, outcome.kind()) &&
                      is_wanted(live, former.branch, former.op) && (waiting || !branch.in_flight);
  if (!counts) {
    BELAY_MARK(answer_after_timeout);
    calls_.open(lane_behind(id));
    return note_stuck(live);
  }
  BELAY_MARK(late_answer_counts);
  if (waiting) {
    calls_.withdraw(live, former.branch);
    return on_outcome(live, former.branch, former.op, outcome);
  }
  figures_.count(outcome);
  decide(live, core::Answered{former.branch, former.op, &outcome, true});
}

void Coordinator::expire_calls() {
  budget_.spend_on(Share::called);
  while (!calls_.has_answers() && budget_.has_room()) {
    const auto call = calls_.expire_one(time_.monotonic());
    if (!call) return;
    auto& live = *call->live;
    const auto timeout = live.transaction.definition.request_timeout(call->branch)
                             .value_or(options_.request_timeout);
    const auto* and_more = call->comes_back() ? "; its handler still runs" : "";
    on_outcome(
        live, call->branch, call->op,
        Outcome::unknown(fmt::format("no answer within {} ms{}", timeout.count(), and_more)));
  }
}

void Coordinator::take(RegisteredRequest& request) { parked_.wake(request.target); }

void Coordinator::wake_parked() {
  if (phase_ != Phase::running) return;
  for (std::size_t i = 0; i < kWokenPerTurn && parked_.has_woken() && budget_.has_room(); ++i) {
    const auto [target, live] = parked_.take_woken();
    const auto& transaction = live->transaction;
    for (std::uint32_t branch = 0; branch < transaction.branches.size(); ++branch) {
      if (!transaction.branches[branch].parked) continue;
      const auto op = core::current_op(transaction, branch);
      if (transaction.definition.target(branch, op) == target)
        decide(*live, core::Registered{branch});
    }
  }
}

}  // namespace belay::engine
