#include "serve/protocol/body_queue.h"

#include <utility>

#include "threads/scarce.h"

namespace belay::protocol {

bool BodyQueue::post(std::size_t bytes, Job job) {
  auto work = [this, bytes, job = std::move(job)]() mutable {
    threads::run_if_memory(job);
    job = nullptr;  // the body is destroyed before its bytes are released
    const base::Lock lock(mutex_);
    bytes_ -= bytes;
  };
  const base::Lock lock(mutex_);
  if (bytes_ > 0 && bytes_ + bytes > bytes_max_) return false;
  if (!thread_.add(std::move(work))) return false;
  bytes_ += bytes;
  return true;
}

}  // namespace belay::protocol
