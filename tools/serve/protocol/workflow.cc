// Workflows: their owner prepares them, gets their recorded steps back, and reports how they ended.
#include <utility>

#include "serve/protocol/describe.h"
#include "serve/protocol/handlers.h"
#include "serve/protocol/rows.h"

namespace belay::protocol {
namespace {

std::string extra(const TransactionRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.req_extra) {
    if (key == name) return value;
  }
  return {};
}

// Answers with the existing transaction and its progress: as in dtm, it may be of any type, if that
// is the request's.
void tell_stored(const ContextPtr& context, const std::string& gid, const std::string& wanted,
                 Done done) {
  const auto secrets = context->options.secrets;
  const bool posted = context->reads->post([gid, wanted, secrets, done](Reader& reader) {
    const auto stored = read_transaction_rows(reader, gid, secrets);
    if (!stored) return done(ApiResult::of(stored.error()));
    if (!*stored) return done(unknown_gid(gid));
    const auto type = (*stored)->transaction.value("trans_type", std::string());
    if (type != wanted) return done(other_type(gid, type, wanted));
    done(ApiResult::of(
        Json{{"progresses", (*stored)->branches}, {"transaction", (*stored)->transaction}}));
  });
  if (!posted) done(too_many_reads());
}

}  // namespace

void prepare_workflow(const ContextPtr& context, const TransactionRequest& request, Done done) {
  const auto described = describe(request, context->options);
  if (!described) return done(ApiResult::of(described.error()));
  ask<Report>(
      [context, request, done](const Result<Report>& result) {
        const bool is_new = result && !result->joined();
        const bool is_known = result || result.error().code == ErrorCode::conflict;
        if (is_new) {
          return done(ApiResult::of(Json{{"progresses", Json::array()},
                                         {"transaction", new_transaction(*result, request)}}));
        }
        if (is_known) return tell_stored(context, request.gid, request.trans_type, done);
        done(ApiResult::of(result.error()));
      },
      [&](ReportCallback told) {
        return context->engine.prepare(described->description(), std::move(told));
      });
}

void submit_workflow(const ContextPtr& context, const TransactionRequest& request, Done done) {
  const auto status = status_from(extra(request, "status"));
  if (!status || !is_final(*status)) {
    return done(ApiResult::error("req_extra.status is '" + extra(request, "status") +
                                 "', it must be succeed or failed"));
  }
  const WorkflowEnd end{*status, extra(request, "result"), extra(request, "rollback_reason")};
  ask<Report>(
      [done](const Result<Report>& result) {
        const bool is_gone = result ? result->joined()
                                    : result.error().code == ErrorCode::not_found ||
                                          result.error().code == ErrorCode::forbidden;
        if (is_gone) return done(ApiResult::error("storage: NotFound"));
        done(result ? ApiResult{} : ApiResult::of(result.error()));
      },
      [&](ReportCallback told) {
        return context->engine.finish_workflow(request.gid, end, std::move(told));
      });
}

}  // namespace belay::protocol
