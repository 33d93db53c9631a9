// prepare: makes a transaction known. If it is prepared again before it is submitted or aborted,
// nothing changes.
#include <utility>

#include "serve/protocol/describe.h"
#include "serve/protocol/handlers.h"

namespace belay::protocol {
namespace {

ApiResult answer_of_known(const Result<Report>& found, std::string_view trans_type) {
  if (!found) return ApiResult::of(found.error());
  if (name_of(found->mode()) != trans_type)
    return other_type(found->gid(), name_of(found->mode()), trans_type);
  if (found->status() == Status::prepared) return {};
  return ApiResult::failure("current status '" + std::string(name_of(found->status())) +
                            "', cannot prepare. FAILURE");
}

}  // namespace

ApiResult other_type(const std::string& gid, std::string_view stored, std::string_view wanted) {
  return ApiResult::failure("the gid " + gid + " belongs to a " + std::string(stored) +
                            ", not to a " + std::string(wanted) + ". FAILURE");
}

void new_gid(const ContextPtr&, Done done) {
  done(ApiResult::of(Json{{"dtm_result", "SUCCESS"}, {"gid", belay::new_gid()}}));
}

void prepare(const ContextPtr& context, const TransactionRequest& request, Done done) {
  const auto described = describe(request, context->options);
  if (!described) return done(ApiResult::of(described.error()));
  ask<Report>(
      [context, gid = request.gid, type = request.trans_type, done](const Result<Report>& result) {
        if (result) return done(result->joined() ? answer_of_known(result, type) : ApiResult{});
        if (result.error().code != ErrorCode::conflict) return done(ApiResult::of(result.error()));
        ask<Report>(
            [type, done](const Result<Report>& found) { done(answer_of_known(found, type)); },
            [&](ReportCallback told) { return context->engine.find(gid, std::move(told)); });
      },
      [&](ReportCallback told) {
        return context->engine.prepare(described->description(), std::move(told));
      });
}

}  // namespace belay::protocol
