// Requests of an operator that are about no transaction. To hold a target or to release it is on
// disk with the open batch, and answered then; the calls of a released target are made after that.
#include <utility>

#include "base/signed_reason.h"
#include "engine/coordinator.h"

namespace belay::engine {

void Coordinator::take(HoldRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, *error);
  auto& change = request.change;
  change.hold.at = TimePoint(Millis(static_cast<std::int64_t>(time_.now())));
  if (const auto allowed = calls_.holds().check(change); !allowed)
    return refuse(request.done, allowed.error());
  log_.info("{} is {}: {}", change.hold.target, change.releases ? "released" : "held",
            base::signed_reason(change.hold.reason, change.hold.asked_by));
  const auto opened = calls_.holds().apply(change);
  budget_.spend(0, sizeof(ports::HoldChange) + request.bytes());
  batches_.open.holds.push_back(std::move(change));
  batches_.open.answers.push_back(
      [this, opened, done = std::move(request.done)](const Result<>& result) {
        if (opened) lane_opened(*opened);
        done(result);
      });
  if (request.posted != 0) answer_posted(request.posted, ports::kPostedTaken, {});
}

void Coordinator::take(LogLevelRequest& request) {
  if (const auto error = end_of_service()) return refuse(request.done, *error);
  log_.set_level(request.level);
  if (request.posted != 0) return answer_posted(request.posted, ports::kPostedTaken, {});
  request.done({});
}

}  // namespace belay::engine
