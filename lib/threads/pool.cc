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

void Pool::add(std::function<void()> work) {
  const base::Lock lock(mutex_);
  if (ending_) return;
  work_.push_back(std::move(work));
  more_.notify_one();
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
    lock.wait(more_, [this]() BELAY_REQUIRES(mutex_) { return ending_ || !work_.empty(); });
    if (work_.empty()) return;
    auto work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work();
    work = nullptr;  // destroys what the work holds outside the lock
    lock.lock();
  }
}

}  // namespace belay::threads
