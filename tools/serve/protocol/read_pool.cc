#include "serve/protocol/read_pool.h"

#include <algorithm>
#include <utility>

#include "threads/scarce.h"

namespace belay::protocol {

Result<std::unique_ptr<ReadPool>> ReadPool::make(const std::string& path, unsigned threads,
                                                 std::size_t queued_max, Millis patience) {
  auto pool = std::unique_ptr<ReadPool>(new ReadPool(queued_max, patience));
  const auto count = std::max(threads, 1u);
  {
    const base::Lock lock(pool->mutex_);
    pool->free_.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
      auto reader = Reader::open(path);
      if (!reader) return reader.error();
      pool->free_.push_back(std::move(*reader));
    }
  }
  BELAY_TRY(pool->threads_.have(count));
  return pool;
}

bool ReadPool::post(Job job) {
  const auto since = Clock::now();
  return threads_.add(
      [this, since, job = std::move(job)] {
        if (Clock::now() - since < patience_) run(job);
      },
      since);
}

void ReadPool::run(const Job& job) {
  base::Lock lock(mutex_);
  auto reader = std::move(free_.back());
  free_.pop_back();
  lock.unlock();
  threads::run_if_memory([&] { job(reader); });
  lock.lock();
  free_.push_back(std::move(reader));
}

}  // namespace belay::protocol
