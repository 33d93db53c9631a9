// Branches: a call goes out, an outcome comes back.
#include <utility>

#include "base/branch_id.h"
#include "base/mark.h"
#include "belay/check.h"
#include "core/ops.h"
#include "core/shortened.h"
#include "engine/coordinator.h"

namespace belay::engine {
namespace {

// Or was the transaction decided meanwhile?
bool is_wanted(const Live& live, std::uint32_t branch, Op op) {
  return core::is_pending(live.transaction, branch) &&
         op == core::current_op(live.transaction, branch);
}

// Or would it be asked again all the same?
bool ends_it(Mode mode, Op op, OutcomeKind kind) {
  if (mode == Mode::workflow) return false;
  if (kind == OutcomeKind::success) return true;
  const bool may_refuse =
      core::phase_of(op) == core::Phase::first && !(mode == Mode::msg && op == Op::action);
  return kind == OutcomeKind::failure && may_refuse;
}

}  // namespace

void Coordinator::call(Live& live, std::uint32_t branch, Op op) {
  // the next life makes it: it is on disk that it may have run
  if (phase_ != Phase::running) return;
  if (!is_wanted(live, branch, op)) return decide(live, core::Withdrawn{branch});
  if (const auto former = calls_.running_on(live, branch))
    return wait_behind(*former, live, branch, op);
  const auto target = live.transaction.definition.target(branch, op);
  const auto kind = ports_.caller.kind_of(target);
  switch (kind) {
    case ports::Caller::Kind::unregistered: return park(live, branch, op);
    case ports::Caller::Kind::immediate: return call_now(live, branch, op);
    case ports::Caller::Kind::deferred:
    case ports::Caller::Kind::blocking:
      return call_or_wait({&live, branch, op, ports_.caller.lane_of(target),
                           kind == ports::Caller::Kind::blocking});
  }
}

// A branch's handler still runs, though its call was given up: nothing of that branch is called
// beside it, neither the same again nor what undoes it.
void Coordinator::wait_behind(ports::CallId former, Live& live, std::uint32_t branch, Op op) {
  BELAY_MARK(call_waits_for_handler);
  waiting_.wait({&live, branch, op, lane_behind(former)}, false);
  if (note_stuck(live)) log_stuck(live);
}

// A call is copied, so that it may outlive its transaction's memory.
bool Coordinator::have_place() const {
  const auto& limits = options_.limits;
  if (calls_.bytes() >= limits.call_bytes_max) BELAY_MARK(call_bytes_ran_out);
  return calls_.in_flight() < limits.calls_in_flight_max && calls_.bytes() < limits.call_bytes_max;
}

void Coordinator::call_or_wait(const PendingCall& call) {
  const bool has_place = ports_.caller.has_place(call.lane);
  const bool may_go = have_place();
  if (may_go && has_place && waiting_.is_next(call.lane)) return call_later(call);
  if (!may_go) BELAY_MARK(call_waits_for_place);
  if (!has_place) BELAY_MARK(call_waits_for_lane);
  waiting_.wait(call, has_place);
}

namespace {

// What a call is made of; the views stay good as long as this and the transaction do.
struct CallParts {
  CallParts(const core::Transaction& transaction, std::uint32_t branch, Op op, std::uint64_t epoch,
            Millis default_timeout)
      : id(transaction.definition.branch_id(branch)),
        headers(transaction.definition.headers(branch)) {
    const auto& definition = transaction.definition;
    const auto& state = transaction.branches[branch];
    const auto step = definition.step(branch);
    call.gid = definition.gid();
    call.mode = definition.mode();
    call.branch_id = id.view();
    call.op = op;
    call.workflow = definition.name();
    call.target = definition.target(branch, op);
    call.payload = step.payload;
    call.custom_data = definition.custom_data();
    call.headers = headers;
    call.trace_parent = definition.trace_parent();
    call.attempt = 1 + (core::phase_of(op) == core::Phase::first ? state.attempts_first
                                                                 : state.attempts_second);
    call.fence = epoch << 32 | (std::uint64_t{state.attempts_first} + state.attempts_second + 1);
    call.timeout = definition.request_timeout(branch).value_or(default_timeout);
  }
  std::size_t bytes() const {
    auto sum = call.gid.size() + call.target.size() + call.payload.size() +
               call.custom_data.size() + call.trace_parent.size() + call.workflow.size();
    for (const auto& header : headers) sum += header.name.size() + header.value.size();
    return sum;
  }
  CallParts(const CallParts&) = delete;
  CallParts& operator=(const CallParts&) = delete;

  base::BranchId id;
  std::vector<Header> headers;
  Call call;
};

}  // namespace

void Coordinator::call_now(Live& live, std::uint32_t branch, Op op) {
  ++counters_.calls;
  const CallParts parts(live.transaction, branch, op, epoch_, options_.request_timeout);
  on_outcome(live, branch, op, ports_.caller.call_now(parts.call));
}

void Coordinator::call_later(const PendingCall& call) {
  ++counters_.calls;
  const CallParts parts(call.live->transaction, call.branch, call.op, epoch_,
                        options_.request_timeout);
  const auto timeout = static_cast<std::uint64_t>(parts.call.timeout.count());
  ports_.caller.call_later(calls_.add(call, time_.monotonic() + timeout, parts.bytes()),
                           parts.call);
}

void Coordinator::start_waiting_calls() {
  if (phase_ != Phase::running) return;
  budget_.spend_on(Share::called);
  while (budget_.has_room() && have_place()) {
    const auto lane = waiting_.next_lane();
    if (!lane) return;
    const bool waited_behind = *lane >= ports::kOwnLanes;
    if (!waited_behind && !ports_.caller.has_place(*lane)) {
      waiting_.shut(*lane);
      continue;
    }
    const auto next = waiting_.take_from(*lane);
    const auto target = next.live->transaction.definition.target(next.branch, next.op);
    // the name may have gone while it waited
    const bool is_there = ports_.caller.kind_of(target) != ports::Caller::Kind::unregistered;
    if (is_there && !waited_behind) {
      call_later(next);
    } else {
      call(*next.live, next.branch, next.op);
    }
  }
}

void Coordinator::lane_opened(ports::Lane lane) {
  if (waiting_.open(lane)) ports_.alarm.wake();
}

// Calls that must not be made any more are not kept until their lane has a place: that day may
// never come, and the transaction has to go on.
void Coordinator::withdraw_waiting(Live& live) {
  std::vector<std::uint32_t> withdrawn;
  const auto count = static_cast<std::uint32_t>(live.transaction.branches.size());
  for (std::uint32_t i = 0; i < count && live.calls_waiting != 0; ++i) {
    const auto op = waiting_.op_of(live, i);
    if (!op || is_wanted(live, i, *op)) continue;
    waiting_.withdraw(live, i);
    withdrawn.push_back(i);
  }
  if (withdrawn.empty()) return;
  BELAY_MARK(waiting_call_withdrawn);
  note_stuck(live);
  for (const auto branch : withdrawn) decide(live, core::Withdrawn{branch});
}

// A call stays in flight until its answer is decided: so no more of them wait than there may be
// calls.
void Coordinator::answer(ports::CallId id, const Outcome& outcome) {
  if (!calls_.has(id)) return BELAY_MARK(answer_after_timeout);  // given up before: its time was up
  if (phase_ == Phase::closed) return static_cast<void>(calls_.take(id));
  time_.tick(ports_.clock);
  budget_.spend_on(Share::called);
  if (answers_.empty() && budget_.has_room()) return take_answer({id, outcome});
  BELAY_MARK(answer_waits_for_batch);
  answers_.push_back({id, core::shortened(outcome)});
}

void Coordinator::take_answers() {
  budget_.spend_on(Share::called);
  while (!answers_.empty() && budget_.has_room()) {
    take_answer(answers_.front());
    answers_.pop_front();
  }
}

void Coordinator::take_answer(const Answer& answer) {
  const auto taken = calls_.take(answer.id);
  if (!taken) return BELAY_MARK(answer_after_timeout);  // answered twice
  const auto& call = taken->call;
  waiting_.open(call.lane);
  if (taken->given_up) return come_back(answer.id, call, answer.outcome);
  on_outcome(*call.live, call.branch, call.op, answer.outcome);
}

// Nothing is decided any more.
void Coordinator::drop_answers() {
  for (const auto& answer : std::exchange(answers_, {})) static_cast<void>(calls_.take(answer.id));
}

// A handler that ran beyond its call's time. Nothing of its branch was called meanwhile, so an
// answer that ends what was asked for is as good as one in time, if it is still asked for. Anything
// else says no more than its time did; what waits behind it goes on.
void Coordinator::come_back(ports::CallId id, const PendingCall& former, const Outcome& outcome) {
  auto& live = *former.live;
  --live.running_on;
  if (live.forgotten) return let_go(live);
  const auto& branch = live.transaction.branches[former.branch];
  const auto waiting = waiting_.op_of(live, former.branch);
  // Its next call may be decided and not be here yet: that one is made.
  const bool counts = ends_it(live.transaction.mode(), former.op, outcome.kind()) &&
                      is_wanted(live, former.branch, former.op) && (waiting || !branch.in_flight);
  if (!counts) {
    BELAY_MARK(answer_after_timeout);
    waiting_.open(lane_behind(id));
    note_stuck(live);
    return;
  }
  BELAY_MARK(late_answer_counts);
  if (waiting) {
    waiting_.withdraw(live, former.branch);
    return on_outcome(live, former.branch, former.op, outcome);
  }
  count(outcome);
  decide(live, core::Answered{former.branch, former.op, &outcome, true});
}

void Coordinator::expire_calls() {
  budget_.spend_on(Share::called);
  while (answers_.empty() && budget_.has_room()) {
    const auto call = calls_.give_up_one(time_.monotonic());
    if (!call) return;
    auto& live = *call->live;
    if (!call->comes_back) waiting_.open(call->lane);
    live.running_on += call->comes_back ? 1 : 0;
    const auto timeout = live.transaction.definition.request_timeout(call->branch)
                             .value_or(options_.request_timeout);
    const auto* and_more = call->comes_back ? "; its handler still runs" : "";
    on_outcome(
        live, call->branch, call->op,
        Outcome::unknown(fmt::format("no answer within {} ms{}", timeout.count(), and_more)));
  }
}

void Coordinator::count(const Outcome& outcome) {
  switch (outcome.kind()) {
    case OutcomeKind::success: ++counters_.calls_success; break;
    case OutcomeKind::failure: ++counters_.calls_failure; break;
    case OutcomeKind::ongoing: ++counters_.calls_ongoing; break;
    case OutcomeKind::unknown: ++counters_.calls_unknown; break;
  }
}

void Coordinator::on_outcome(Live& live, std::uint32_t branch, Op op, const Outcome& outcome) {
  count(outcome);
  decide(live, core::Answered{branch, op, &outcome});
}

// Stuck until somebody registers the name.
void Coordinator::park(Live& live, std::uint32_t branch, Op op) {
  parked_.add(live.transaction.definition.target(branch, op), live);
  live.was_parked = true;
  decide(live, core::Unregistered{branch, op});
}

}  // namespace belay::engine
