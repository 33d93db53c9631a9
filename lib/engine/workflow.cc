// Workflows: what their owners want remembered, and how they say it ended.
#include <utility>

#include "base/mark.h"
#include "engine/coordinator.h"

namespace belay::engine {

Result<> Coordinator::check_progress(const core::Transaction& transaction,
                                     std::string_view step) const {
  BELAY_TRY(core::may_progress(transaction));
  const auto& remembered = transaction.remembered;
  const auto known = core::read_progress(step);
  if (remembered && core::remembers(*remembered, *known)) {
    return Error{ErrorCode::conflict, fmt::format("the step '{}' of branch '{}' is remembered "
                                                  "already",
                                                  known->op, known->branch_id)};
  }
  if (remembered && remembered->count >= options_.limits.branches_max) {
    return Error{ErrorCode::branches_limit,
                 fmt::format("the workflow has {} remembered steps, the limit is {}",
                             remembered->count, options_.limits.branches_max)};
  }
  const auto bytes = transaction.definition.bytes().size() +
                     (remembered ? remembered->steps.size() : 0) + step.size();
  if (bytes <= options_.limits.definition_bytes_max) return {};
  return Error{ErrorCode::definition_limit,
               fmt::format("with this step the workflow has {} bytes, the limit is {}", bytes,
                           options_.limits.definition_bytes_max)};
}

// Answered with the batch that carries it.
void Coordinator::meet(Live& live, ProgressRequest& request) {
  if (const auto allowed = check_progress(live.transaction, request.step); !allowed)
    return refuse(request.done, allowed.error().code, allowed.error().detail);
  if (const auto may = may_grow(live, request.step.size()); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  resume(live);
  decide(live, core::Progressed{request.step});
  open_.answers.push_back(std::move(request.done));
}

void Coordinator::meet(Live& live, EndRequest& request) {
  const auto& transaction = live.transaction;
  const bool said_before = transaction.mode() == Mode::workflow && transaction.finished() &&
                           transaction.status == request.end.status;
  if (said_before) return add_waiter(live, {.done = std::move(request.done), .joined = true});
  if (const auto may = core::may_progress(transaction); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  resume(live);
  decide(live, core::WordEnd{&request.end});
  add_waiter(live, {.done = std::move(request.done)});
}

void Coordinator::recall(const ports::StoredSummary& stored, ProgressRequest& request) {
  forbid(stored, request.done);
}

void Coordinator::recall(const ports::StoredSummary& stored, EndRequest& request) {
  if (stored.mode != Mode::workflow || stored.status != request.end.status)
    return forbid(stored, request.done);
  request.done(report_of(stored));
}

// It ended while its callback was out or a handler ran on, and that came back. Not dropped at once:
// whoever had this decided may still look at it.
void Coordinator::let_go(Live& live) {
  if (!core::has_call_out(live.transaction) && live.running_on == 0) left_.push_back(&live);
}

void Coordinator::drop_left() {
  if (left_.empty()) return;
  BELAY_MARK(ended_before_callback);
  for (auto* live : std::exchange(left_, {})) live_.erase(*live);
}

}  // namespace belay::engine
