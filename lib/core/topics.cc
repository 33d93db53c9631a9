#include "core/topics.h"

namespace belay::core {
namespace {

std::optional<TimePoint> time_from(std::uint64_t ms) {
  if (ms == 0) return std::nullopt;
  return TimePoint(Millis(static_cast<Millis::rep>(ms)));
}

}  // namespace

Topic topic_from(std::string_view name, const TopicState& state) {
  Topic topic{.name = std::string(name),
              .subscriptions = {},
              .version = state.stamp.version,
              .created_at = time_from(state.stamp.created_at),
              .updated_at = time_from(state.stamp.updated_at)};
  topic.subscriptions.reserve(state.subscribers.size());
  for (const auto& [target, remark] : state.subscribers)
    topic.subscriptions.push_back({topic.name, target, remark});
  return topic;
}

}  // namespace belay::core
