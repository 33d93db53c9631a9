#include "engine/resume_queue.h"

#include <algorithm>

#include "belay/check.h"

namespace belay::engine {

void ResumeQueue::add(Live& live) {
  live.awaits_resume = true;
  queue_.emplace_back(live.transaction.id, &live);
}

void ResumeQueue::sort() { std::sort(queue_.begin(), queue_.end()); }

void ResumeQueue::drop(const Live& live) {
  std::erase_if(queue_, [&live](const auto& one) { return one.second == &live; });
}

Live* ResumeQueue::take() {
  auto* live = queue_.front().second;
  queue_.pop_front();
  if (live != nullptr) live->awaits_resume = false;
  return live;
}

std::vector<Live*> ResumeQueue::take_all() {
  std::vector<Live*> all;
  while (!queue_.empty()) {
    if (auto* live = take()) all.push_back(live);
  }
  return all;
}

void ResumeQueue::withdraw(Live& live) {
  const auto place =
      std::lower_bound(queue_.begin(), queue_.end(), live.transaction.id,
                       [](const auto& one, auto wanted) { return one.first < wanted; });
  BELAY_CHECK(place != queue_.end() && place->second == &live);
  place->second = nullptr;
  live.awaits_resume = false;
}

}  // namespace belay::engine
