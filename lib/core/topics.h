// The topics with their subscriptions. They are ordered, so that a message is delivered in the same
// order in every run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "belay/msg.h"

namespace belay::core {

// The times are in ms since the epoch; 0: not known.
struct TopicStamp {
  std::uint64_t version = 0;
  std::uint64_t created_at = 0;
  std::uint64_t updated_at = 0;
  bool operator==(const TopicStamp&) const = default;
};

struct TopicState {
  std::map<std::string, std::string, std::less<>> subscribers;  // target → remark
  TopicStamp stamp{};
  bool operator==(const TopicState&) const = default;
};

using Topics = std::map<std::string, TopicState, std::less<>>;

inline bool is_topic(std::string_view target) { return target.starts_with(kTopicPrefix); }

Topic topic_from(std::string_view name, const TopicState& state);

}  // namespace belay::core
