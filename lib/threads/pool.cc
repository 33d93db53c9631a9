#include "threads/pool.h"

#include <utility>

#include "base/mutex.h"

namespace belay::threads {

Result<> Pool::have(std::size_t threads) {
  const base::Lock lock(mutex_);
  if (ending_) return Error{ErrorCode::closed, "the threads are ending"};
  while (threads_.size() < threads) {
    auto thread = Thread::start(name_, [this] { run(); });
    if (!thread) return thread.error();
    threads_.push_back(std::move(*thread));
  }
  return {};
}

bool Pool::add(std::function<void()> work, Time since) {
  const base::Lock lock(mutex_);
  if (ending_ || waiting_.size() >= waiting_max_) return false;
  waiting_.push_back({std::move(work), since});
  more_.notify_one();
  return true;
}

void Pool::drop_older(Time since) {
  std::vector<Waiting> dropped;  // destroyed only after the lock is released
  const base::Lock lock(mutex_);
  while (!waiting_.empty() && waiting_.front().since <= since) {
    dropped.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

void Pool::stop() {
  std::deque<Waiting> dropped;
  {
    const base::Lock lock(mutex_);
    ending_ = true;
    dropped.swap(waiting_);
  }
  end();
}

void Pool::end() {
  std::vector<Thread> threads;
  {
    const base::Lock lock(mutex_);
    ending_ = true;
    threads.swap(threads_);
  }
  more_.notify_all();
  for (auto& thread : threads) thread.join();
}

void Pool::run() {
  base::Lock lock(mutex_);
  while (true) {
    lock.wait(more_, [this]() BELAY_REQUIRES(mutex_) { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    next.work();
    next.work = nullptr;  // destroys what the function holds, outside the lock
    lock.lock();
  }
}

}  // namespace belay::threads
