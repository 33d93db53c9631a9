#include "names/timers.h"

#include <algorithm>

namespace belay::names {

Timers::Id Timers::after(std::uint64_t ms, std::function<void()> function) {
  const auto now = clock_();
  const auto at = now + std::min(ms, kNever - 1 - now);
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

void Timers::run() {
  running_ = true;
  const auto now = clock_();
  const auto last = last_;
  auto next = due_.begin();
  while (next != due_.end() && next->first.first <= now) {
    if (next->first.second > last) {
      ++next;
      continue;
    }
    const auto node = due_.extract(next);
    times_.erase(node.key().second);
    node.mapped()();
    next = due_.begin();  // the function may have changed anything
  }
  running_ = false;
}

}  // namespace belay::names
