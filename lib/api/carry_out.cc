// One function for all that an operator asks; the verb says which of the engine's functions it is.
#include <utility>
#include <variant>

#include "api/impl.h"
#include "api/waiting.h"
#include "base/signed_reason.h"
#include "belay/requests.h"

namespace belay {

Result<> Engine::carry_out(const Request& request, DoneCallback done) {
  ReportCallback told;
  if (done) {
    told = [done = std::move(done)](const Result<Report>& report) {
      done(report ? Result<>() : Result<>(report.error()));
    };
  }
  const auto reason = base::signed_reason(request.reason, request.asked_by);
  switch (request.verb) {
    case Verb::replay: return retry_now(request.gid, reason, std::move(told));
    case Verb::stop: return force_stop(request.gid, reason, std::move(told));
    case Verb::back: return turn_back(request.gid, reason, std::move(told));
    case Verb::resolve: break;
  }
  return resolve(request.gid, request.branch_id, request.op, request.outcome, reason,
                 std::move(told));
}

Result<> Engine::carry_out(const Request& request) {
  return api::wait_for_handlers<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return carry_out(request, std::move(done));
  });
}

}  // namespace belay
