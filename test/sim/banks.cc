#include "banks.h"

#include <algorithm>
#include <charconv>
#include <utility>

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

Banks::Banks(World& world, const Plan& plan, const AllBooks& books, Planted planted,
             test::Random random)
    : world_(world),
      books_(books),
      planted_(planted),
      random_(random),
      faults_(plan.calls),
      latency_us_(plan.latency_us),
      lane_places_(plan.lane_places) {
  for (std::uint64_t i = 0; i < plan.targets * 2; ++i)
    deferred_.push_back(random_.percent(plan.deferred_percent));
  blocking_.resize(deferred_.size());
}

void Banks::block(std::uint64_t percent, test::Random random) {
  blocking_random_ = random;
  for (auto one : blocking_) one = blocking_random_.percent(percent);
}

std::vector<std::string> Banks::register_again(std::uint64_t target) {
  if (unregistered_.erase(target) == 0) return {};
  return {action_of(target), compensate_of(target)};
}

void Banks::calm() {
  faults_ = {};
  late_handlers_ = 0;
  latency_us_ = std::min<std::uint64_t>(latency_us_, 100);
  while (!shut_.empty()) open(*shut_.begin());
}

// Lanes: one a bank.

ports::Lane Banks::lane_of(std::string_view target) { return number_of(target) + 1; }

bool Banks::has_place(ports::Lane lane) {
  if (shut_.contains(lane - 1)) return false;
  if (lane_places_ == 0 || occupied_life_ != world_.life()) return true;
  const auto taken = std::count_if(occupied_.begin(), occupied_.end(),
                                   [lane](const auto& one) { return one.second == lane; });
  return static_cast<std::uint64_t>(taken) < lane_places_;
}

void Banks::open(std::uint64_t target) {
  if (shut_.erase(target) != 0) tell_open(target + 1);
}

// A place is taken until the answer, or until the call has timed out.
void Banks::occupy(const Request& request, ports::Lane lane) {
  if (!has_place(lane)) world_.fail(request.gid + ": a bank without a place is called");
  if (std::exchange(occupied_life_, world_.life()) != world_.life()) occupied_.clear();
  occupied_.emplace(request.id, lane);
  if (request.runs_here) return;
  world_.in_life(request.timeout_us, [this, id = request.id] { vacate(id); });
}

// Its answer comes in the end, and while it runs nothing of its branch is called: see `before`.
void Banks::run_handler(const Request& request) {
  if (std::exchange(running_life_, world_.life()) != world_.life()) running_.clear();
  running_.emplace(request.gid, request.branch);
  auto delay = latency();
  if (blocking_random_.percent(late_handlers_))
    delay += request.timeout_us * blocking_random_.between(1, 4);
  world_.in_life(delay, [this, request] {
    const auto outcome = at_bank(request.gid, request.branch, request.op);
    world_.note("  {} {:02} {} returns: {}", request.gid, request.branch + 1, name_of(request.op),
                name_of(outcome.kind()));
    running_.erase({request.gid, request.branch});
    vacate(request.id);
    books_of(request.gid).on_answer(request.gid, request.branch, request.number, outcome.kind());
    answer_(request.id, outcome);
  });
}

void Banks::vacate(ports::CallId id) {
  const auto found = occupied_.find(id);
  if (occupied_life_ != world_.life() || found == occupied_.end()) return;
  const auto lane = found->second;
  occupied_.erase(found);
  tell_open(lane);
}

void Banks::tell_open(ports::Lane lane) {
  if (planted_ != Planted::silent_lanes) opened_(lane);
}

ports::Caller::Kind Banks::kind_of(std::string_view target) {
  const auto number = number_of(target);
  if (unregistered_.contains(number)) return Kind::unregistered;
  if (!deferred_[number * 2 + (is_undo(target) ? 1 : 0)]) return Kind::immediate;
  const bool is_known = runs_here(target) && planted_ != Planted::hidden_handlers;
  return is_known ? Kind::blocking : Kind::deferred;
}

bool Banks::runs_here(std::string_view target) const {
  return blocking_[number_of(target) * 2 + (is_undo(target) ? 1 : 0)];
}

// 0: the process is dead, and a dead one calls nobody. Else the call's number.
std::uint64_t Banks::before(const Call& call) {
  if (!world_.alive() || watch_()) return 0;
  ++calls_;
  if (handlers_running() != 0 &&
      running_.contains({std::string(call.gid), Ledger::branch_of(call.branch_id)})) {
    world_.fail(
        fmt::format("{}: branch {} is called beside its own handler", call.gid, call.branch_id));
  }
  world_.note("call {} {} {} attempt {} fence {:x}", call.gid, call.branch_id, name_of(call.op),
              call.attempt, call.fence);
  world_.mix(call.fence ^ call.attempt << 24 ^ Ledger::branch_of(call.branch_id) << 8);
  if (planted_ == Planted::early_confirm && call.op == Op::try_ && random_.percent(10)) {
    auto early = call;
    early.op = Op::confirm;
    books_of(call.gid).on_call(early);
  }
  if (held_(call.target)) {
    world_.fail(fmt::format("{}: {} is called, and an operator holds it", call.gid, call.target));
  }
  if (planted_ == Planted::stale_edits && unedited(call.payload) != call.payload) {
    auto stale = call;
    stale.payload = unedited(call.payload);
    return books_of(call.gid).on_call(stale);
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
                        static_cast<std::uint64_t>(call.timeout.count()) * 1000,
                        runs_here(call.target)};
  occupy(request, lane_of(call.target));
  if (request.runs_here) return run_handler(request);
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
    vacate(request.id);
    books_of(request.gid).on_answer(request.gid, request.branch, request.number, outcome.kind());
    answer_(request.id, outcome);
  });
}

}  // namespace belay::sim
