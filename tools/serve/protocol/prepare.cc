// prepare: makes a transaction known. If it is prepared again before it is submitted or aborted,
// nothing changes.
#include <utility>

#include "serve/protocol/describe.h"
#include "serve/protocol/handlers.h"

namespace belay::protocol {
namespace {

ApiResult refused(const Report& report) {
  return ApiResult::failure("current status '" + std::string(name_of(report.status())) +
                            "', cannot prepare. FAILURE");
}

ApiResult answer_of_known(const Result<Report>& found) {
  if (!found) return ApiResult::of(found.error());
  return found->status() == Status::prepared ? ApiResult{} : refused(*found);
}

}  // namespace

void new_gid(const ContextPtr&, Done done) {
  done(ApiResult::of(Json{{"dtm_result", "SUCCESS"}, {"gid", belay::new_gid()}}));
}

void prepare(const ContextPtr& context, const TransactionRequest& request, Done done) {
  const auto described = describe(request, context->options);
  if (!described) return done(ApiResult::of(described.error()));
  const bool is_msg = request.trans_type == name_of(Mode::msg);
  ask<Report>(
      [context, gid = request.gid, is_msg, done](const Result<Report>& result) {
        if (result) return done(result->joined() ? answer_of_known(result) : ApiResult{});
        if (result.error().code == ErrorCode::conflict) {
          return ask<Report>(
              [done](const Result<Report>& found) { done(answer_of_known(found)); },
              [&](ReportCallback told) { return context->engine.find(gid, std::move(told)); });
        }
        const bool no_topic = is_msg && result.error().code == ErrorCode::not_found;
        done(no_topic ? ApiResult::error("topic not found") : ApiResult::of(result.error()));
      },
      [&](ReportCallback told) {
        return context->engine.prepare(described->description(), std::move(told));
      });
}

}  // namespace belay::protocol
