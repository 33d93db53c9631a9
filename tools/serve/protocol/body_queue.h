// Large bodies, on a thread of their own: reading one takes as long as it is large, and the
// server's threads have others to answer meanwhile. What waits and what is worked on is bounded by
// its bytes in sum.
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

  // False: with these there would be more than `bytes_max` (a body alone is always taken), or it
  // was stopped.
  bool post(std::size_t bytes, Job job);
  // Drops what has not begun, and returns when nothing runs any more.
  void stop() { thread_.stop(); }

 private:
  const std::size_t bytes_max_;
  base::Mutex mutex_;
  std::size_t bytes_ BELAY_GUARDED_BY(mutex_) = 0;  // of those that wait and of the one that runs
  threads::Pool thread_{"belay-body"};              // last: it uses the others
};

}  // namespace belay::protocol
