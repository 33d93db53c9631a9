// prepare: makes a transaction known. Again, while it waits for its word: nothing changes.
#include <utility>

#include "web/describe.h"
#include "web/handlers.h"

namespace belay::web {
namespace {

Answer refused(const Report& report) {
  return Answer::failure("current status '" + std::string(name_of(report.status())) +
                         "', cannot prepare. FAILURE");
}

Answer answer_of_known(const Result<Report>& found) {
  if (!found) return Answer::of(found.error());
  return found->status() == Status::prepared ? Answer{} : refused(*found);
}

}  // namespace

void new_gid(const ContextPtr&, Done done) {
  done(Answer::of(Json{{"dtm_result", "SUCCESS"}, {"gid", belay::new_gid()}}));
}

void prepare(const ContextPtr& context, const TransactionRequest& request, Done done) {
  const auto described = describe(request, context->options);
  if (!described) return done(Answer::of(described.error()));
  const bool is_msg = request.trans_type == name_of(Mode::msg);
  ask<Report>(
      [context, gid = request.gid, is_msg, done](const Result<Report>& result) {
        if (result) return done(result->joined() ? answer_of_known(result) : Answer{});
        if (result.error().code == ErrorCode::conflict) {
          return ask<Report>(
              [done](const Result<Report>& found) { done(answer_of_known(found)); },
              [&](ReportCallback told) { return context->engine.find(gid, std::move(told)); });
        }
        const bool no_topic = is_msg && result.error().code == ErrorCode::not_found;
        done(no_topic ? Answer::error("topic not found") : Answer::of(result.error()));
      },
      [&](ReportCallback told) {
        return context->engine.prepare(described->description(), std::move(told));
      });
}

}  // namespace belay::web
