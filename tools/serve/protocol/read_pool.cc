#include "serve/protocol/read_pool.h"

#include <algorithm>
#include <utility>

#include "threads/scarce.h"

namespace belay::protocol {
Result<std::unique_ptr<ReadPool>> ReadPool::make(const std::string& path, unsigned threads,
                                                 std::size_t queued_max, Millis patience) {
  auto pool = std::unique_ptr<ReadPool>(new ReadPool(queued_max, patience));
  for (unsigned i = 0; i < std::max(threads, 1u); ++i) {
    auto reader = Reader::open(path);
    if (!reader) return reader.error();
    pool->readers_.push_back(std::make_unique<Reader>(std::move(*reader)));
  }
  for (const auto& reader : pool->readers_) {
    auto thread = threads::Thread::start(
        "belay-read", [own = pool.get(), one = reader.get()] { own->run(*one); });
    if (!thread) return thread.error();
    pool->threads_.push_back(std::move(*thread));
  }
  return pool;
}

ReadPool::~ReadPool() { stop(); }

bool ReadPool::post(Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || queue_.size() >= queued_max_) return false;
  queue_.push_back({std::move(job), Clock::now()});
  changed_.notify_one();
  return true;
}

void ReadPool::stop() {
  std::deque<Waiting> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
    changed_.notify_all();
  }
  for (auto& thread : threads_) thread.join();
}

void ReadPool::drop_late() {
  std::deque<Waiting> late;
  {
    const std::lock_guard lock(mutex_);
    while (!queue_.empty() && Clock::now() - queue_.front().since >= patience_) {
      late.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
  }
}

void ReadPool::run(Reader& reader) {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    auto next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    if (Clock::now() - next.since < patience_) threads::run_if_memory([&] { next.job(reader); });
    next.job = nullptr;  // destroys a dropped job, which answers its client
    lock.lock();
  }
}

}  // namespace belay::protocol
