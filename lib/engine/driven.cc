// Transactions that their caller drives: the caller adds branches one by one and then submits or
// aborts.
#include <memory>
#include <utility>

#include "core/apply.h"
#include "engine/coordinator.h"
#include "engine/waiters.h"

namespace belay::engine {

void Coordinator::meet(Live& live, BranchRequest& request) {
  resume(live);
  const auto mode = live.transaction.mode();
  if (request.mode.value_or(mode) != mode) {
    return refuse(request.done, {ErrorCode::forbidden,
                                 fmt::format("the transaction is a {}, the branch is one of a {}",
                                             name_of(mode), name_of(*request.mode))});
  }
  if (const auto may = core::may_add_branch(live.transaction, request.step); !may)
    return refuse(request.done, may.error());
  const auto count = live.transaction.branches.size();
  if (count >= options_.limits.branches_max) {
    return refuse(request.done,
                  {ErrorCode::branches_limit, fmt::format("the {} has {} branches, the limit is {}",
                                                          name_of(live.transaction.mode()), count,
                                                          options_.limits.branches_max)});
  }
  const auto bytes = live.transaction.definition.bytes().size() +
                     live.transaction.definition.added().size() + request.step.size();
  if (bytes > options_.limits.definition_bytes_max) {
    return refuse(request.done,
                  {ErrorCode::definition_limit,
                   fmt::format("with this branch the definition has {} bytes, the limit is {}",
                               bytes, options_.limits.definition_bytes_max)});
  }
  const auto memory = sizeof(core::Branch) + sizeof(BranchWaiter) + request.step.size();
  if (const auto may = memory_.may_grow(live, memory); !may)
    return refuse(request.done, may.error());
  if (!live.branch_waiters) live.branch_waiters = std::make_unique<std::vector<BranchWaiter>>();
  live.branch_waiters->push_back(
      {.branch = static_cast<std::uint32_t>(count), .done = std::move(request.done)});
  decide(live, core::Added{request.step});
}

void Coordinator::meet(Live& live, WordRequest& request) {
  if (request.word == WordRequest::Word::stop) return stop(live, request);
  if (request.word == WordRequest::Word::hasten) return hasten(live, request);
  if (request.word == WordRequest::Word::resolve) return resolve_branch(live, request);
  if (request.word == WordRequest::Word::edit) return edit_branch(live, request);
  if (request.word == WordRequest::Word::back) return turn_back(live, request);
  resume(live);
  const auto status = live.transaction.status;
  const auto until = request.timeout_ms == 0 ? 0 : time_.monotonic() + request.timeout_ms;
  Waiter waiter{std::move(request.done), request.wants_final, until};
  if (request.word == WordRequest::Word::submit) {
    if (status == Status::prepared) return submit_word(live, request.delay, std::move(waiter));
    waiter.joined = true;
    if (status == Status::submitted || status == Status::succeed) {
      if (const auto may = memory_.may_wait(live, waiter.wants_final); !may)
        return refuse(waiter.done, may.error());
      return add_waiter(live, std::move(waiter));
    }
    const auto may = core::may_submit(live.transaction);
    return refuse(waiter.done, may.error());
  }
  if (status == Status::aborting || status == Status::failed) {
    waiter.joined = true;
    return add_waiter(live, std::move(waiter));
  }
  if (const auto may = core::may_abort(live.transaction); !may)
    return refuse(waiter.done, may.error());
  decide(live, core::WordAbort{request.reason});
  add_waiter(live, std::move(waiter));
}

Result<> BranchRequest::recall(const ports::StoredSummary& stored) const { return is_over(stored); }

// A decision that was made before, by the same caller or another, is answered as a repetition.
Result<> WordRequest::recall(const ports::StoredSummary& stored) const {
  const bool said_so =
      (word == Word::submit && stored.status == Status::succeed) ||
      ((word == Word::abort || word == Word::back) && stored.status == Status::failed);
  if (!said_so) return is_over(stored);
  done(report_of(stored));
  return {};
}

void Coordinator::submit_word(Live& live, Millis delay, Waiter waiter) {
  if (delay.count() != 0 && live.transaction.mode() != Mode::msg)
    return refuse(waiter.done, {ErrorCode::invalid_argument, "only a message can be delayed"});
  if (const auto may = core::may_submit(live.transaction); !may)
    return refuse(waiter.done, may.error());
  if (const auto topics = subscriptions_.check(live.transaction.definition); !topics)
    return refuse(waiter.done, topics.error());
  decide(live, core::WordSubmit{delay});
  add_waiter(live, std::move(waiter));
}

}  // namespace belay::engine
