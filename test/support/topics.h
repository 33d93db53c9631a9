// The subscriptions of all topics in one list.
#pragma once

#include <vector>

#include "belay/msg.h"

namespace belay::test {

inline std::vector<Subscription> subscriptions_of(const std::vector<Topic>& topics) {
  std::vector<Subscription> all;
  for (const auto& topic : topics)
    all.insert(all.end(), topic.subscriptions.begin(), topic.subscriptions.end());
  return all;
}

}  // namespace belay::test
