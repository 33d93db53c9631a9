// abort and forceStop: the caller's decision to go back, and an operator's command.
#include <utility>

#include "serve/protocol/handlers.h"

namespace belay::protocol {
namespace {

bool is_two_phase(std::string_view trans_type) {
  return trans_type == name_of(Mode::tcc) || trans_type == name_of(Mode::xa);
}

ApiResult cannot_abort(const Report& report) {
  return ApiResult::failure("trans type: '" + std::string(name_of(report.mode())) +
                            "' current status '" + std::string(name_of(report.status())) +
                            "', cannot abort. FAILURE");
}

// The request's type counts too, as in dtm; the stored transaction must also be of such a type.
bool may_abort(const Report& report, std::string_view trans_type) {
  if (report.mode() == Mode::msg || report.mode() == Mode::saga)
    return report.status() == Status::prepared;
  return is_two_phase(trans_type) && is_two_phase(name_of(report.mode())) &&
         (report.status() == Status::prepared || report.status() == Status::aborting);
}

ApiResult cannot_stop(const Report& report) {
  return ApiResult::failure("global transaction force stop error. status: " +
                            std::string(name_of(report.status())) + ". error: FAILURE");
}

using Describe = ApiResult (*)(const Report& report);

// The abort is on disk; the client is answered when everything is undone.
void wait_until_undone(const ContextPtr& context, const TransactionRequest& request,
                       const Report& report, Done done) {
  if (report.finished()) return done({});
  const WaitPlan plan{
      .mode = report.mode(), .budget = wait_budget(*context, request), .wanted = Status::failed};
  Waits::begin(context, request.gid, plan, std::move(done));
}

// The request was refused because of the transaction's state: the answer must contain that state.
void refuse(const ContextPtr& context, const std::string& gid, Describe describe, Done done) {
  ask<Report>(
      [gid, describe, done = std::move(done)](const Result<Report>& found) {
        if (found) return done(describe(*found));
        done(found.error().code == ErrorCode::not_found ? unknown_gid(gid)
                                                        : ApiResult::of(found.error()));
      },
      [&](ReportCallback told) { return context->engine.find(gid, std::move(told)); });
}

// The callback of a request that the transaction's state may forbid.
ReportCallback told_as(const ContextPtr& context, const std::string& gid, Describe describe,
                       const Done& done) {
  return [context, gid, describe, done](const Result<Report>& result) {
    if (result) return done({});
    if (result.error().code == ErrorCode::forbidden) return refuse(context, gid, describe, done);
    done(result.error().code == ErrorCode::not_found ? unknown_gid(gid)
                                                     : ApiResult::of(result.error()));
  };
}

}  // namespace

ApiResult unknown_gid(const std::string& gid) {
  return ApiResult::error("no TransGlobal with gid: " + gid + " found");
}

void abort(const ContextPtr& context, const TransactionRequest& request, Done done) {
  const auto on_found = [context, request, done](const Result<Report>& found) {
    if (!found) {
      return done(found.error().code == ErrorCode::not_found ? unknown_gid(request.gid)
                                                             : ApiResult::of(found.error()));
    }
    if (!may_abort(*found, request.trans_type)) return done(cannot_abort(*found));
    const auto otherwise = told_as(context, request.gid, cannot_abort, done);
    const auto on_aborted = [context, request, done, otherwise](const Result<Report>& aborted) {
      if (!aborted || !request.wait_result) return otherwise(aborted);
      wait_until_undone(context, request, *aborted, done);
    };
    ask<Report>(on_aborted, [&](ReportCallback told) {
      return context->engine.abort(request.gid, request.rollback_reason, std::move(told));
    });
  };
  ask<Report>(on_found, [&](ReportCallback told) {
    return context->engine.find(request.gid, std::move(told));
  });
}

void force_stop(const ContextPtr& context, const TransactionRequest& request, Done done) {
  ask<Report>(told_as(context, request.gid, cannot_stop, done), [&](ReportCallback told) {
    return context->engine.force_stop(request.gid, request.rollback_reason, std::move(told));
  });
}

}  // namespace belay::protocol
