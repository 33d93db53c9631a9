// One function for all that an operator asks; the verb says which of the engine's functions it is.
#include <utility>
#include <variant>

#include "api/impl.h"
#include "api/waiting.h"
#include "base/signed_reason.h"
#include "belay/requests.h"

namespace belay {
namespace {

ReportCallback without_report(DoneCallback done) {
  if (!done) return {};
  return [done = std::move(done)](const Result<Report>& report) {
    done(report ? Result<>() : Result<>(report.error()));
  };
}

}  // namespace

Result<> Engine::carry_out(const Request& request, DoneCallback done) {
  const auto& gid = request.gid;
  const auto& [topic, target, remark] = request.subscription;
  const auto reason = base::signed_reason(request.reason, request.asked_by);
  switch (request.verb) {
    case Verb::replay: return retry_now(gid, reason, without_report(std::move(done)));
    case Verb::stop: return force_stop(gid, reason, without_report(std::move(done)));
    case Verb::back: return turn_back(gid, reason, without_report(std::move(done)));
    case Verb::resolve:
      return resolve(gid, request.branch_id, request.op, request.outcome, reason,
                     without_report(std::move(done)));
    case Verb::edit:
      return edit(gid, request.branch_id, request.op, request.changes, reason,
                  without_report(std::move(done)));
    case Verb::hold: return hold(request.target, request.reason, request.asked_by, std::move(done));
    case Verb::release:
      return release(request.target, request.reason, request.asked_by, std::move(done));
    case Verb::subscribe: return subscribe(request.subscription, std::move(done));
    case Verb::unsubscribe: return unsubscribe(topic, target, std::move(done));
    case Verb::remove_topic: return remove_topic(topic, std::move(done));
    case Verb::log_level: break;
  }
  return set_log_level(request.level, std::move(done));
}

Result<> Engine::carry_out(const Request& request) {
  return api::wait_for_handlers<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return carry_out(request, std::move(done));
  });
}

}  // namespace belay
