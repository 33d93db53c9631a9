#include "serve/protocol/deadlines.h"

#include <utility>

#include "threads/scarce.h"

namespace belay::protocol {

Result<> Deadlines::start() {
  auto thread = threads::Thread::start("belay-deadlines", [this] { run(); });
  if (!thread) return thread.error();
  thread_ = std::move(*thread);
  return {};
}

void Deadlines::after(Millis delay, std::function<void()> work) {
  const base::Lock lock(mutex_);
  if (stopping_) return;
  const auto at = due_.emplace(Clock::now() + delay, std::move(work));
  if (at == due_.begin()) changed_.notify_one();
}

void Deadlines::stop() {
  {
    const base::Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
  // The waiting work may own the owner of this object, so the work is destroyed after the unlock.
  decltype(due_) dropped;
  const base::Lock lock(mutex_);
  dropped.swap(due_);
}

void Deadlines::run() {
  base::Lock lock(mutex_);
  while (!stopping_) {
    if (due_.empty()) {
      lock.wait(changed_);
      continue;
    }
    const auto at = due_.begin()->first;
    if (at > Clock::now()) {
      lock.wait_until(changed_, at);
      continue;
    }
    auto work = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    lock.unlock();
    threads::run_if_memory(work);
    work = nullptr;  // frees the work's objects outside the lock
    lock.lock();
  }
}

}  // namespace belay::protocol
