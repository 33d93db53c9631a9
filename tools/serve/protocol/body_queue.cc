#include "serve/protocol/body_queue.h"

#include <utility>

#include "threads/scarce.h"

namespace belay::protocol {

Result<> BodyQueue::start() {
  auto thread = threads::Thread::start("belay-body", [this] { run(); });
  if (!thread) return thread.error();
  thread_ = std::move(*thread);
  return {};
}

bool BodyQueue::post(std::size_t bytes, Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || (bytes_ > 0 && bytes_ + bytes > bytes_max_)) return false;
  queue_.push_back({bytes, std::move(job)});
  bytes_ += bytes;
  changed_.notify_one();
  return true;
}

void BodyQueue::stop() {
  std::deque<Waiting> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
    changed_.notify_all();
  }
  thread_.join();
}

void BodyQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    auto next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    threads::run_if_memory(next.job);
    next.job = nullptr;  // frees the body before its bytes are released
    lock.lock();
    bytes_ -= next.bytes;
  }
}

}  // namespace belay::protocol
