// Requests about subscriptions: a change is on disk with the open batch, and is answered then.
#include <utility>

#include "engine/coordinator.h"

namespace belay::engine {

void Coordinator::take(TopicRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, *error);
  if (const auto allowed = subscriptions_.check(request.change); !allowed)
    return refuse_after_changes(request, allowed.error());
  subscriptions_.apply(request.change, time_.now());
  budget_.spend(0, sizeof(ports::TopicChange) + request.bytes());
  batches_.open.topics.push_back(std::move(request.change));
  batches_.open.answers.push_back(std::move(request.done));
  note_taken(request);
}

// The subscriptions in memory are one batch ahead of the file, so the answer waits for that batch.
// The answer is a copy of all subscriptions: a few such answers fill the share of a turn.
void Coordinator::take(TopicsRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, *error);
  auto all = subscriptions_.all();
  for (const auto& topic : all) {
    budget_.spend(0, sizeof(Topic) + topic.name.size());
    for (const auto& [name, target, remark] : topic.subscriptions)
      budget_.spend(0, sizeof(Subscription) + name.size() + target.size() + remark.size());
  }
  batches_.answer_after_changes(
      [done = std::move(request.done), all = std::move(all)](const Result<>& result) {
        done(result ? Result<std::vector<Topic>>(all) : Result<std::vector<Topic>>(result.error()));
      });
}

}  // namespace belay::engine
