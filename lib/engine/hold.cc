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
    return refuse_hold(request, allowed.error());
  log_.info("{} is {}: {}", change.hold.target, change.releases ? "released" : "held",
            base::signed_reason(change.hold.reason, change.hold.asked_by));
  calls_.holds().apply(change);
  budget_.spend(0, sizeof(ports::HoldChange) + request.bytes());
  batches_.open.holds.push_back(std::move(change));
  batches_.open.answers.push_back(std::move(request.done));
  if (request.posted != 0) answer_posted(request.posted, ports::kPostedTaken, {});
}

void Coordinator::release_targets(const std::vector<ports::HoldChange>& changes) {
  for (const auto& change : changes)
    if (const auto lane = calls_.holds().committed(change)) lane_opened(*lane);
}

// The change that is in the way may not be on disk yet: then the refusal waits for it. A refusal in
// the file is in a later batch anyway.
void Coordinator::refuse_hold(const HoldRequest& request, const Error& error) {
  auto& waiting = batches_.open.holds.empty() ? batches_.sealed.answers : batches_.open.answers;
  if (request.posted != 0 || waiting.empty()) return refuse(request.done, error);
  ++figures_.counters.refused;
  waiting.push_back([done = request.done, error](const Result<>& result) {
    done(result ? Result<>(error) : result);
  });
}

void Coordinator::take(LogLevelRequest& request) {
  if (const auto error = end_of_service()) return refuse(request.done, *error);
  log_.set_level(request.level);
  if (request.posted != 0) return answer_posted(request.posted, ports::kPostedTaken, {});
  request.done({});
}

}  // namespace belay::engine
