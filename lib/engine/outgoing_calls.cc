#include "engine/outgoing_calls.h"

#include <utility>

#include "base/branch_id.h"
#include "base/mark.h"
#include "core/apply.h"
#include "core/ops.h"
#include "core/retry.h"
#include "core/shortened.h"
#include "engine/limits.h"

namespace belay::engine {
namespace {

// The parts of a call; the views in it are valid as long as this object and the transaction are.
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

bool is_wanted(const Live& live, std::uint32_t branch, Op op) {
  return core::is_pending(live.transaction, branch) &&
         op == core::current_op(live.transaction, branch);
}

OutgoingCalls::Begun OutgoingCalls::begin(Live& live, std::uint32_t branch, Op op,
                                          std::uint64_t monotonic) {
  if (const auto former = table_.running_on(live, branch)) {
    BELAY_MARK(call_waits_for_handler);
    waiting_.wait({&live, branch, op, lane_behind(*former)}, false);
    return {Way::waits_for_handler};
  }
  const auto target = live.transaction.definition.target(branch, op);
  if (auto held = holds_.find(target)) {
    BELAY_MARK(call_waits_for_release);
    waiting_.wait({&live, branch, op, held->lane}, false);
    return {Way::held, std::nullopt, std::move(held->why)};
  }
  const auto kind = caller_.kind_of(target);
  switch (kind) {
    case ports::Caller::Kind::unregistered: return {Way::unregistered};
    case ports::Caller::Kind::immediate: {
      ++made_;
      const CallParts parts(live.transaction, branch, op, epoch_, options_.request_timeout);
      return {Way::answered, caller_.call_now(parts.call)};
    }
    case ports::Caller::Kind::deferred:
    case ports::Caller::Kind::timed:
    case ports::Caller::Kind::blocking: break;
  }
  send_or_wait({&live, branch, op, caller_.lane_of(target), kind}, monotonic);
  return {Way::under_way};
}

// A call in flight is copied, so that it may outlive its transaction in memory.
bool OutgoingCalls::have_place() const {
  const auto& limits = options_.limits;
  if (table_.bytes() >= limits.call_bytes_max) BELAY_MARK(call_bytes_ran_out);
  return table_.in_flight() < limits.calls_in_flight_max && table_.bytes() < limits.call_bytes_max;
}

void OutgoingCalls::send_or_wait(const PendingCall& call, std::uint64_t monotonic) {
  const bool has_place = caller_.has_place(call.lane);
  const bool may_go = have_place();
  if (may_go && has_place && waiting_.is_next(call.lane)) return send(call, monotonic);
  if (!may_go) BELAY_MARK(call_waits_for_place);
  if (!has_place) BELAY_MARK(call_waits_for_lane);
  auto waiting = call;
  waiting.waits_since = monotonic;
  waiting_.wait(waiting, has_place);
}

void OutgoingCalls::send(const PendingCall& call, std::uint64_t monotonic) {
  ++made_;
  const CallParts parts(call.live->transaction, call.branch, call.op, epoch_,
                        options_.request_timeout);
  const auto grace = call.kind == ports::Caller::Kind::timed ? kTimedGrace : 0;
  const auto give_up_at =
      monotonic + static_cast<std::uint64_t>(parts.call.timeout.count()) + grace;
  caller_.call_later(table_.add(call, give_up_at, parts.bytes()), parts.call);
}

std::optional<OutgoingCalls::Next> OutgoingCalls::take_next() {
  while (have_place()) {
    const auto lane = waiting_.next_lane();
    if (!lane) return std::nullopt;
    const bool waited_behind = *lane >= ports::kOwnLanes;
    if (waited_behind || caller_.has_place(*lane))
      return Next{waiting_.take_from(*lane), waited_behind};
    waiting_.shut(*lane);
  }
  return std::nullopt;
}

bool OutgoingCalls::send(const Next& next, std::uint64_t monotonic) {
  if (next.waited_behind) return false;
  const auto target = next.call.live->transaction.definition.target(next.call.branch, next.call.op);
  if (caller_.kind_of(target) == ports::Caller::Kind::unregistered || holds_.find(target))
    return false;
  send(next.call, monotonic);
  return true;
}

std::vector<std::uint32_t> OutgoingCalls::withdraw_unwanted(Live& live) {
  std::vector<std::uint32_t> withdrawn;
  const auto count = static_cast<std::uint32_t>(live.transaction.branches.size());
  for (std::uint32_t i = 0; i < count && live.calls_waiting != 0; ++i) {
    const auto op = waiting_.op_of(live, i);
    if (!op || is_wanted(live, i, *op)) continue;
    waiting_.withdraw(live, i);
    withdrawn.push_back(i);
  }
  if (!withdrawn.empty()) BELAY_MARK(waiting_call_withdrawn);
  return withdrawn;
}

std::optional<std::uint32_t> OutgoingCalls::held_up(const Live& live) const {
  if (live.running_on == 0 || live.calls_waiting == 0) return std::nullopt;
  const auto count = static_cast<std::uint32_t>(live.transaction.branches.size());
  for (std::uint32_t i = 0; i < count; ++i)
    if (table_.running_on(live, i) && waiting_.op_of(live, i)) return i;
  return std::nullopt;
}

bool OutgoingCalls::has_lost_patience(const PendingCall& call, std::uint64_t monotonic) const {
  const auto& transaction = call.live->transaction;
  const auto& branch = transaction.branches[call.branch];
  if (branch.parked) return false;
  const auto& definition = transaction.definition;
  const auto patience =
      core::patience_ms(definition.retry(call.branch).value_or(options_.retry),
                        definition.request_timeout(call.branch).value_or(options_.request_timeout),
                        branch.unanswered, options_.stuck_after);
  return monotonic - call.waits_since >= patience;
}

std::vector<OutgoingCalls::HeldBack> OutgoingCalls::held_back(std::uint64_t monotonic) const {
  std::vector<HeldBack> held;
  std::optional<std::string> why;
  const auto is_broken = [&](ports::Lane lane) {
    why = lane < ports::kOwnLanes ? caller_.why_shut(lane) : std::nullopt;
    return why.has_value();
  };
  waiting_.for_each_shut(is_broken, [&](const PendingCall& call) {
    if (has_lost_patience(call, monotonic)) held.push_back({call.live, call.branch, *why});
    return held.size() < kHeldBackPerTick;
  });
  return held;
}

std::optional<CallTable::Taken> OutgoingCalls::take(ports::CallId id) {
  auto taken = table_.take(id);
  if (taken) waiting_.open(taken->call.lane);
  return taken;
}

void OutgoingCalls::keep_answer(ports::CallId id, const Outcome& outcome) {
  BELAY_MARK(answer_waits_for_batch);
  answers_.push_back({id, core::shortened(outcome)});
}

OutgoingCalls::Answer OutgoingCalls::take_answer() {
  auto answer = std::move(answers_.front());
  answers_.pop_front();
  return answer;
}

void OutgoingCalls::drop_answers() {
  for (const auto& answer : std::exchange(answers_, {})) static_cast<void>(table_.take(answer.id));
}

std::optional<PendingCall> OutgoingCalls::expire_one(std::uint64_t monotonic) {
  const auto call = table_.give_up_one(monotonic);
  if (!call) return std::nullopt;
  if (!call->comes_back()) waiting_.open(call->lane);
  call->live->running_on += call->comes_back() ? 1 : 0;
  return call;
}

std::uint64_t OutgoingCalls::note_shortages(const base::Log& log, std::uint64_t monotonic) {
  const auto shortages = caller_.shortages();
  if (std::exchange(shortages_, shortages) == shortages) return shortages;
  if (shortage_told_at_ != 0 && monotonic < shortage_told_at_ + kShortagePause) return shortages;
  shortage_told_at_ = monotonic;
  log.error(
      "no descriptor or memory is left: {} calls could not be made so far, and are made again",
      shortages);
  return shortages;
}

}  // namespace belay::engine
