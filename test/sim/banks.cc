#include "banks.h"

#include <charconv>

#include "core/ops.h"

namespace belay::sim {
namespace {

// "bank-3.undo"
std::uint64_t number_of(std::string_view target) {
  std::uint64_t number = 0;
  std::from_chars(target.data() + 5, target.data() + target.size(), number);
  return number;
}

bool is_undo(std::string_view target) { return target.ends_with(".undo"); }

}  // namespace

Banks::Banks(World& world, const Plan& plan, Books& sagas, Books& others, Planted planted,
             test::Random random)
    : world_(world),
      sagas_(sagas),
      others_(others),
      planted_(planted),
      random_(random),
      faults_(plan.calls),
      latency_us_(plan.latency_us) {
  for (std::uint64_t i = 0; i < plan.targets * 2; ++i)
    deferred_.push_back(random_.percent(plan.deferred_percent));
}

std::vector<std::string> Banks::register_again(std::uint64_t target) {
  if (unregistered_.erase(target) == 0) return {};
  return {action_of(target), compensate_of(target)};
}

void Banks::calm() {
  faults_ = {};
  latency_us_ = std::min<std::uint64_t>(latency_us_, 100);
}

ports::Caller::Kind Banks::kind_of(std::string_view target) {
  const auto number = number_of(target);
  if (unregistered_.contains(number)) return Kind::unregistered;
  return deferred_[number * 2 + (is_undo(target) ? 1 : 0)] ? Kind::deferred : Kind::immediate;
}

// 0: the process is dead, and a dead one calls nobody. Else the call's number.
std::uint64_t Banks::before(const Call& call) {
  if (!world_.alive() || watch_()) return 0;
  ++calls_;
  world_.note("call {} {} {} attempt {} fence {:x}", call.gid, call.branch_id, name_of(call.op),
              call.attempt, call.fence);
  world_.mix(call.fence ^ call.attempt << 24 ^ Ledger::branch_of(call.branch_id) << 8);
  if (planted_ == Planted::early_confirm && call.op == Op::try_ && random_.percent(10)) {
    auto early = call;
    early.op = Op::confirm;
    books_of(call.gid).on_call(early);
  }
  return books_of(call.gid).on_call(call);
}

Outcome Banks::at_bank(const std::string& gid, std::uint32_t branch, Op op) {
  const bool garbled = random_.percent(faults_.unknown);
  if (garbled && random_.percent(50)) return Outcome::unknown("garbage, before it was done");
  if (random_.percent(faults_.ongoing)) return Outcome::ongoing("not yet");
  if (core::phase_of(op) == core::Phase::second && random_.percent(faults_.compensation_failure))
    return Outcome::failure("cannot be undone");
  auto outcome = books_of(gid).execute(gid, branch, op);
  return garbled ? Outcome::unknown("garbage, after it was done") : outcome;
}

Outcome Banks::call_now(const Call& call) {
  const auto number = before(call);
  if (number == 0) return Outcome::unknown("dead");
  const std::string gid(call.gid);
  const auto branch = Ledger::branch_of(call.branch_id);
  if (random_.percent(faults_.duplicate)) at_bank(gid, branch, call.op);
  const auto outcome = at_bank(gid, branch, call.op);
  world_.note("  {} {} {} says {}", gid, call.branch_id, name_of(call.op), name_of(outcome.kind()));
  books_of(gid).on_answer(gid, branch, number, outcome.kind());
  return outcome;
}

void Banks::call_later(ports::CallId id, const Call& call) {
  const auto number = before(call);
  if (number == 0) return;
  const Request request{id,
                        world_.life(),
                        number,
                        std::string(call.gid),
                        Ledger::branch_of(call.branch_id),
                        call.op,
                        static_cast<std::uint64_t>(call.timeout.count()) * 1000};
  if (random_.percent(faults_.lost_request)) return world_.note("  lost");
  auto delay = latency();
  if (random_.percent(faults_.late) && random_.percent(50))
    delay += request.timeout_us * random_.between(1, 3);
  send(request, delay);
  if (random_.percent(faults_.duplicate)) send(request, delay + latency());
}

// What is on the wire arrives, whoever lives then.
void Banks::send(const Request& request, std::uint64_t delay) {
  ++under_way_;
  world_.after_us(delay, [this, request] {
    --under_way_;
    reply(request, at_bank(request.gid, request.branch, request.op));
  });
}

void Banks::reply(const Request& request, const Outcome& outcome) {
  world_.note("  {} {:02} {} did: {}", request.gid, request.branch + 1, name_of(request.op),
              name_of(outcome.kind()));
  if (random_.percent(faults_.lost_reply)) return;
  auto delay = latency();
  if (random_.percent(faults_.late)) delay += request.timeout_us * random_.between(1, 3);
  world_.after_us(delay, [this, request, outcome] {
    if (!world_.alive() || world_.life() != request.life) return;
    books_of(request.gid).on_answer(request.gid, request.branch, request.number, outcome.kind());
    answer_(request.id, outcome);
  });
}

}  // namespace belay::sim
