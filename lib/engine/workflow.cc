// Workflows: their owners record steps and report the end.
#include <utility>

#include "core/apply.h"
#include "core/progress.h"
#include "engine/coordinator.h"
#include "engine/waiters.h"

namespace belay::engine {
namespace {

Result<> check_progress(const core::Transaction& transaction, std::string_view step,
                        const Limits& limits) {
  BELAY_TRY(core::may_progress(transaction));
  const auto& remembered = transaction.remembered;
  const auto known = core::read_progress(step);
  if (remembered && core::remembers(*remembered, *known)) {
    return Error{ErrorCode::conflict, fmt::format("the step '{}' of branch '{}' is remembered "
                                                  "already",
                                                  known->op, known->branch_id)};
  }
  if (remembered && remembered->count >= limits.branches_max) {
    return Error{ErrorCode::branches_limit,
                 fmt::format("the workflow has {} remembered steps, the limit is {}",
                             remembered->count, limits.branches_max)};
  }
  const auto bytes = transaction.definition.bytes().size() +
                     (remembered ? remembered->steps.size() : 0) + step.size();
  if (bytes <= limits.definition_bytes_max) return {};
  return Error{ErrorCode::definition_limit,
               fmt::format("with this step the workflow has {} bytes, the limit is {}", bytes,
                           limits.definition_bytes_max)};
}

}  // namespace

// The caller is answered when the batch that carries the step is on disk.
void Coordinator::meet(Live& live, ProgressRequest& request) {
  if (const auto allowed = check_progress(live.transaction, request.step, options_.limits);
      !allowed)
    return refuse(request.done, allowed.error());
  if (const auto may = memory_.may_grow(live, request.step.size()); !may)
    return refuse(request.done, may.error());
  resume(live);
  decide(live, core::Progressed{request.step});
  batches_.open.answers.push_back(std::move(request.done));
}

void Coordinator::meet(Live& live, EndRequest& request) {
  const auto& transaction = live.transaction;
  const bool said_before = transaction.mode() == Mode::workflow && transaction.finished() &&
                           transaction.status == request.end.status;
  if (said_before) return add_waiter(live, {.done = std::move(request.done), .joined = true});
  if (const auto may = core::may_progress(transaction); !may)
    return refuse(request.done, may.error());
  resume(live);
  decide(live, core::WordEnd{&request.end});
  add_waiter(live, {.done = std::move(request.done)});
}

Result<> ProgressRequest::recall(const ports::StoredSummary& stored) const {
  return is_over(stored);
}

Result<> EndRequest::recall(const ports::StoredSummary& stored) const {
  if (stored.mode != Mode::workflow || stored.status != end.status) return is_over(stored);
  done(report_of(stored));
  return {};
}

}  // namespace belay::engine
