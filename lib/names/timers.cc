#include "names/timers.h"

#include <algorithm>

namespace belay::names {

Timers::Id Timers::after(std::uint64_t ms, std::function<void()> function) {
  const auto at = now_ + std::min(ms, kNever - now_ - 1);
  times_.emplace(++last_, at);
  due_.emplace(Key{at, last_}, std::move(function));
  const auto id = last_;
  if (!running_ && changed_) changed_();
  return id;
}

void Timers::cancel(Id id) {
  const auto found = times_.find(id);
  if (found == times_.end()) return;
  // What the function holds may use these timers when it is destroyed.
  const auto node = due_.extract(Key{found->second, id});
  times_.erase(found);
}

void Timers::run(std::uint64_t now) {
  now_ = std::max(now_, now);
  running_ = true;
  const Key end{now_, last_};
  while (!due_.empty() && due_.begin()->first <= end) {
    const auto node = due_.extract(due_.begin());
    times_.erase(node.key().second);
    node.mapped()();
  }
  running_ = false;
}

}  // namespace belay::names
