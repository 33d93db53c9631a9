// resetCronTime and resetNextCronTime: transactions that wait for a time go on now.
#include <algorithm>
#include <utility>

#include "serve/protocol/handlers.h"
#include "serve/protocol/parse.h"

namespace belay::protocol {
namespace {

constexpr std::int64_t kLaterThanSeconds = 105;  // three times dtm's timeout to fail
constexpr std::int64_t kWokenDefault = 100;
constexpr std::int64_t kWokenMax = 10'000;

}  // namespace

void reset_cron_time(const ContextPtr& context, const http::Request& request, Done done) {
  const auto timeout = query_integer(request, "timeout", kLaterThanSeconds);
  if (!timeout) return done(ApiResult::of(timeout.error()));
  const auto limit = query_integer(request, "limit", kWokenDefault);
  if (!limit) return done(ApiResult::of(limit.error()));
  const auto later_than = Millis{std::clamp<std::int64_t>(*timeout, 0, kSecondsMax) * 1'000};
  const auto most = static_cast<std::uint32_t>(std::clamp<std::int64_t>(*limit, 1, kWokenMax));
  ask<Woken>(
      [done](const Result<Woken>& woken) {
        if (!woken) return done(ApiResult::of(woken.error()));
        done(ApiResult::of(Json{{"has_remaining", woken->more}, {"succeed_count", woken->count}}));
      },
      [&](WokenCallback told) {
        return context->engine.retry_all_now(later_than, most, std::move(told));
      });
}

void reset_next_cron_time(const ContextPtr& context, const TransactionRequest& request, Done done) {
  ask<Report>(
      [gid = request.gid, done](const Result<Report>& result) {
        // A final transaction cannot be woken; like dtm, this is not an error.
        if (result || result.error().code == ErrorCode::forbidden) return done({});
        done(result.error().code == ErrorCode::not_found ? unknown_gid(gid)
                                                         : ApiResult::of(result.error()));
      },
      [&](ReportCallback told) {
        return context->engine.retry_now(request.gid, request.rollback_reason, std::move(told));
      });
}

}  // namespace belay::protocol
