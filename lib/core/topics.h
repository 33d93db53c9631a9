// The subscriptions of all topics. They are ordered, so that a message is delivered in the same
// order in every run.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "belay/msg.h"

namespace belay::core {

// topic → target → remark
using Topics = std::map<std::string, std::map<std::string, std::string, std::less<>>, std::less<>>;

inline bool is_topic(std::string_view target) { return target.starts_with(kTopicPrefix); }

}  // namespace belay::core
