// The commands of an operator for any transaction: end it as failed, turn it back, let it wait no
// longer, or say how an operation of it ended.
#include <utility>

#include "core/apply.h"
#include "engine/coordinator.h"
#include "engine/log_about.h"

namespace belay::engine {

// A recovered transaction is not resumed before it is stopped, because no call may be made. A
// transaction that was stopped before the restart ends when it is resumed.
void Coordinator::stop(Live& live, WordRequest& request) {
  if (const auto may = core::may_stop(live.transaction); !may)
    return refuse(request.done, may.error());
  if (live.transaction.stopped) {
    if (const auto may = memory_.may_wait(live, true); !may)
      return refuse(request.done, may.error());
    resume(live);
  } else {
    stop_resuming(live);
    decide(live, core::WordStop{request.reason});
    log_about(log_, LogLevel::info, live.transaction, "is stopped: {}",
              core::reason_of(live.transaction));
  }
  add_waiter(live, {std::move(request.done), true, 0});
}

// As for a stop: nothing is called forward before the transaction turns back.
void Coordinator::turn_back(Live& live, WordRequest& request) {
  const auto status = live.transaction.status;
  const bool has_turned = status == Status::aborting || status == Status::failed;
  if (has_turned) return add_waiter(live, {.done = std::move(request.done), .joined = true});
  if (const auto may = core::may_turn_back(live.transaction); !may)
    return refuse(request.done, may.error());
  const bool resumes = stop_resuming(live);
  decide(live, core::WordAbort{request.reason, resumes});
  add_waiter(live, {std::move(request.done), false, 0});
}

void Coordinator::hasten(Live& live, WordRequest& request) {
  if (!options_.makes_calls)
    return refuse(request.done, {ErrorCode::busy, "this engine makes no calls"});
  resume(live);
  if (const auto may = core::may_stop(live.transaction); !may)
    return refuse(request.done, may.error());
  decide(live, core::Hastened{request.reason});
  add_waiter(live, {std::move(request.done), false, 0});
}

// Answers the request if there is no such branch.
std::optional<std::uint32_t> Coordinator::find_branch(const Live& live,
                                                      const WordRequest& request) {
  const auto& definition = live.transaction.definition;
  for (std::uint32_t branch = 0; branch < definition.branch_count(); ++branch)
    if (definition.branch_id(branch).view() == request.branch_id) return branch;
  refuse(request.done, {ErrorCode::forbidden,
                        fmt::format("the transaction has no branch '{}'", request.branch_id)});
  return std::nullopt;
}

// True if the only thing in the way is a call that waits for its host or its handler's return: it
// can be taken back.
bool Coordinator::waits_for_place(const Live& live, std::uint32_t branch,
                                  const Result<>& may) const {
  return !may && may.error().code == ErrorCode::busy && calls_.waiting_op(live, branch).has_value();
}

// A recovered transaction is not resumed before it is decided, because no call may be made before.
void Coordinator::resolve_branch(Live& live, WordRequest& request) {
  const auto found = find_branch(live, request);
  if (!found) return;
  const auto branch = *found;
  const auto& definition = live.transaction.definition;
  const bool fails = request.outcome == OutcomeKind::failure;
  const auto may = core::may_resolve(live.transaction, branch, request.op, fails);
  const bool is_waiting = waits_for_place(live, branch, may);
  if (!may && !is_waiting) return refuse(request.done, may.error());
  if (definition.is_query(branch) && !fails) {
    if (const auto topics = subscriptions_.check(definition); !topics)
      return refuse(request.done, topics.error());
  }
  if (is_waiting) calls_.withdraw(live, branch);
  const bool resumes = stop_resuming(live);
  const auto outcome = fails ? Outcome::failure(request.reason) : Outcome::success();
  decide(live, core::WordResolve{branch, &outcome, request.reason, is_waiting, resumes});
  add_waiter(live, {std::move(request.done), false, 0});
}

void Coordinator::take(HastenRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, *error);
  hastening_.add(std::move(request), time_.now(), due_);
}

void Coordinator::hasten_some() {
  if (hastening_.empty() || phase_ != Phase::running || !budget_.has_room()) return;
  for (auto* live : hastening_.next_slice(due_)) decide(*live, core::Hastened{});
  hastening_.end_slice();
}

void Coordinator::end_hastening(const Error& error) {
  for (const auto& done : hastening_.take_all()) refuse(done, error);
}

}  // namespace belay::engine
