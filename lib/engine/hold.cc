// Requests of an operator that are about no transaction. To hold a target or to release it is on
// disk with the open batch, and answered then; the calls of a released target are made after that.
#include <utility>

#include "base/signed_reason.h"
#include "engine/coordinator.h"

namespace belay::engine {

void Coordinator::take(HoldRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, *error);
  auto& change = request.change;
  change.hold.target = ports_.caller.plain_target(change.hold.target);
  change.hold.at = TimePoint(Millis(static_cast<std::int64_t>(time_.now())));
  if (const auto allowed = calls_.holds().check(change); !allowed)
    return refuse_after_changes(request, allowed.error());
  log_.info("{} is {}: {}", change.hold.target, change.releases ? "released" : "held",
            base::signed_reason(change.hold.reason, change.hold.asked_by));
  calls_.holds().apply(change);
  budget_.spend(0, sizeof(ports::HoldChange) + request.bytes());
  batches_.open.holds.push_back(std::move(change));
  batches_.open.answers.push_back(std::move(request.done));
  note_taken(request);
}

void Coordinator::release_targets(const std::vector<ports::HoldChange>& changes) {
  for (const auto& change : changes)
    if (const auto lane = calls_.holds().committed(change)) lane_opened(*lane);
}

void Coordinator::take(LogLevelRequest& request) {
  if (const auto error = end_of_service()) return refuse(request.done, *error);
  log_.set_level(request.level);
  note_taken(request);
  request.done({});
}

}  // namespace belay::engine
