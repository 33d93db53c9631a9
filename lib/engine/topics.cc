// Subscriptions as requests: what is changed is on disk with the open batch, and answered then.
#include <utility>

#include "engine/coordinator.h"

namespace belay::engine {

void Coordinator::adopt_topics(core::Topics topics) { subscriptions_.adopt(std::move(topics)); }

void Coordinator::take(TopicRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, error->code, error->detail);
  if (const auto allowed = subscriptions_.check(request.change); !allowed)
    return refuse(request.done, allowed.error().code, allowed.error().detail);
  subscriptions_.apply(request.change);
  budget_.spend(0, sizeof(ports::TopicChange) + request.bytes());
  open_.topics.push_back(std::move(request.change));
  open_.answers.push_back(std::move(request.done));
}

// What the file says is what memory says, one batch ahead: so the answer waits for that batch. It
// is a copy of all: a few of them fill a turn's share.
void Coordinator::take(TopicsRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, error->code, error->detail);
  auto all = subscriptions_.all();
  for (const auto& [topic, target, remark] : all)
    budget_.spend(0, sizeof(Subscription) + topic.size() + target.size() + remark.size());
  auto answer = [done = std::move(request.done), all = std::move(all)](const Result<>& result) {
    done(result ? Result<std::vector<Subscription>>(all)
                : Result<std::vector<Subscription>>(result.error()));
  };
  if (!open_.topics.empty()) {
    open_.answers.push_back(std::move(answer));
  } else if (!sealed_.answers.empty()) {
    sealed_.answers.push_back(std::move(answer));
  } else {
    answer({});
  }
}

}  // namespace belay::engine
