#include "unreliable_bank.h"

#include <stdexcept>
#include <thread>

#include "demo/calls.h"
#include "kill_plan.h"

namespace belay::test {
namespace {

// What befalls one attempt of a call. Told by the call, so that a run with the same seed has the
// same troubles.
enum class Mishap : std::uint8_t { none, no_answer, lost_answer, ongoing };

Mishap mishap_of(const Call& call, std::uint64_t seed) {
  Random random(seed ^ hash_of(call.gid) ^ hash_of(call.branch_id) * 31 ^
                (static_cast<std::uint64_t>(call.op) << 8u) ^ call.attempt);
  const auto fate = random.below(100);
  if (call.attempt > 3) return Mishap::none;
  if (fate < 3) return Mishap::no_answer;
  if (fate < 6) return Mishap::lost_answer;
  return fate < 8 ? Mishap::ongoing : Mishap::none;
}

struct Copy {
  explicit Copy(const Call& call)
      : gid(call.gid),
        branch_id(call.branch_id),
        payload(call.payload),
        op(call.op),
        attempt(call.attempt) {}
  Call view() const {
    Call call;
    call.gid = gid, call.branch_id = branch_id, call.payload = payload;
    call.op = op, call.attempt = attempt;
    return call;
  }
  std::string gid, branch_id, payload;
  Op op;
  std::uint32_t attempt;
};

}  // namespace

Result<> UnreliableBank::serve(Engine& engine, std::size_t kind) {
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    auto* context = &(contexts_[i] = {this, &demo::kServices[i]});
    const auto name = kill_service(kind, std::string(context->service->name));
    if (kind == 0) BELAY_TRY(engine.handle_async(name, &UnreliableBank::answer_later, context));
    if (kind == 1) BELAY_TRY(engine.handle_blocking(name, &UnreliableBank::answer, context));
    if (kind == 2) BELAY_TRY(engine.handle(name, &UnreliableBank::answer, context));
  }
  return {};
}

Outcome UnreliableBank::debit(const demo::Leg& leg) {
  const std::lock_guard lock(mutex_);
  return bank_.call(leg);
}

Outcome UnreliableBank::answer(const Call& call, void* context) {
  const auto& [bank, service] = *static_cast<ServiceContext*>(context);
  const auto mishap = mishap_of(call, bank->seed_);
  if (mishap == Mishap::no_answer) throw std::runtime_error("the bank tripped");
  if (mishap == Mishap::ongoing) return Outcome::ongoing("the bank is counting");
  const std::lock_guard lock(bank->mutex_);
  auto outcome = bank->bank_.call(demo::leg_of(call, service->side, service->mode));
  return mishap == Mishap::lost_answer ? Outcome::unknown("the answer was lost") : outcome;
}

// A thread a call is a poor service and a good test: replies race with each other and with the
// end.
void UnreliableBank::answer_later(const Call& call, Reply reply, void* context) {
  std::thread([copy = std::make_unique<Copy>(call), context, later = std::move(reply)]() mutable {
    const Call view = copy->view();
    const auto seed = static_cast<ServiceContext*>(context)->bank->seed_;
    if (mishap_of(view, seed) == Mishap::no_answer) return;
    later.complete(answer(view, context));
  }).detach();
}

}  // namespace belay::test
