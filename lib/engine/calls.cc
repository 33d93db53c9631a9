// Branches: a call goes out, an outcome comes back.
#include <iterator>

#include "base/branch_id.h"
#include "base/mark.h"
#include "belay/check.h"
#include "core/ops.h"
#include "engine/engine.h"

namespace belay::engine {

void Engine::call(Live& live, std::uint32_t branch, Op op) {
  // the next life makes it: it is on disk that it may have run
  if (phase_ != Phase::running) return;
  if (!core::is_pending(live.transaction, branch) ||
      op != core::current_op(live.transaction, branch))
    return decide(live, core::Withdrawn{branch});
  switch (ports_.caller.kind_of(live.transaction.definition.target(branch, op))) {
    case ports::Caller::Kind::unregistered: return park(live, branch, op);
    case ports::Caller::Kind::immediate: return call_now(live, branch, op);
    case ports::Caller::Kind::deferred:
      if (calls_.in_flight() < options_.limits.calls_in_flight_max)
        return call_later(live, branch, op);
      BELAY_MARK(call_waits_for_place);
      return calls_.wait({&live, branch, op});
  }
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
  CallParts(const CallParts&) = delete;
  CallParts& operator=(const CallParts&) = delete;

  base::BranchId id;
  std::vector<Header> headers;
  Call call;
};

}  // namespace

void Engine::call_now(Live& live, std::uint32_t branch, Op op) {
  ++counters_.calls;
  const CallParts parts(live.transaction, branch, op, epoch_, options_.request_timeout);
  on_outcome(live, branch, op, ports_.caller.call_now(parts.call));
}

void Engine::call_later(Live& live, std::uint32_t branch, Op op) {
  ++counters_.calls;
  const CallParts parts(live.transaction, branch, op, epoch_, options_.request_timeout);
  const auto timeout = static_cast<std::uint64_t>(parts.call.timeout.count());
  ports_.caller.call_later(calls_.add({&live, branch, op}, time_.monotonic() + timeout),
                           parts.call);
}

void Engine::start_waiting_calls() {
  while (calls_.waiting() > 0 && calls_.in_flight() < options_.limits.calls_in_flight_max) {
    const auto next = calls_.take_waiting();
    call(*next->live, next->branch, next->op);
  }
}

void Engine::answer(ports::CallId id, const Outcome& outcome) {
  const auto pending = calls_.take(id);
  if (!pending) return BELAY_MARK(answer_after_timeout);  // given up before: its time was up
  time_.tick(ports_.clock);
  on_outcome(*pending->live, pending->branch, pending->op, outcome);
}

void Engine::expire_calls() {
  while (const auto pending = calls_.take_expired(time_.monotonic())) {
    const auto timeout = pending->live->transaction.definition.request_timeout(pending->branch)
                             .value_or(options_.request_timeout);
    on_outcome(*pending->live, pending->branch, pending->op,
               Outcome::unknown(fmt::format("no answer within {} ms", timeout.count())));
  }
}

void Engine::on_outcome(Live& live, std::uint32_t branch, Op op, const Outcome& outcome) {
  decide(live, core::Answered{branch, op, &outcome});
}

// Stuck until somebody registers the name.
void Engine::park(Live& live, std::uint32_t branch, Op op) {
  parked_[std::string(live.transaction.definition.target(branch, op))].emplace(live.transaction.id,
                                                                               &live);
  live.was_parked = true;
  decide(live, core::Unregistered{branch, op});
}

void Engine::unpark(Live& live) {
  if (!live.was_parked) return;
  for (auto entry = parked_.begin(); entry != parked_.end();) {
    entry->second.erase(live.transaction.id);
    entry = entry->second.empty() ? parked_.erase(entry) : std::next(entry);
  }
  live.was_parked = false;
}

}  // namespace belay::engine
