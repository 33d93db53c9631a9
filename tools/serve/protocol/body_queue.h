// Parses large bodies on a thread of its own: the larger a body, the longer this takes, and the
// server's threads must answer other requests meanwhile. The bytes of all bodies in the queue and
// in work are limited.
#pragma once

#include <cstddef>
#include <functional>

#include "base/mutex.h"
#include "threads/pool.h"

namespace belay::protocol {

class BodyQueue {
 public:
  using Job = std::function<void()>;

  explicit BodyQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  ~BodyQueue() { stop(); }

  // Error: resources (no thread is left).
  Result<> start() { return thread_.have(1); }

  // False: there would be more than `bytes_max` (if the queue is empty, one body is accepted
  // whatever its size), or the queue was stopped.
  bool post(std::size_t bytes, Job job);
  // Drops the jobs that have not begun, and returns when no job runs any more.
  void stop() { thread_.stop(); }

 private:
  const std::size_t bytes_max_;
  base::Mutex mutex_;
  // The bytes of the bodies that wait, and of the body that is in work.
  std::size_t bytes_ BELAY_GUARDED_BY(mutex_) = 0;
  threads::Pool thread_{"belay-body"};  // last: its thread uses the other members
};

}  // namespace belay::protocol
