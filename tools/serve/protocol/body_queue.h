// Large bodies, on a thread of their own: reading one takes as long as it is large, and the
// server's threads have others to answer meanwhile. What waits and what is worked on is bounded by
// its bytes in sum.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>

#include "threads/thread.h"

namespace belay::protocol {

class BodyQueue {
 public:
  using Job = std::function<void()>;

  explicit BodyQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  ~BodyQueue() { stop(); }

  // Error: storage (no thread is left).
  Result<> start();

  // False: with these there would be more than `bytes_max` (a body alone is always taken), or it
  // was stopped.
  bool post(std::size_t bytes, Job job);
  // Drops what has not begun, and returns when nothing runs any more.
  void stop();

 private:
  struct Waiting {
    std::size_t bytes = 0;
    Job job;
  };

  void run();

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> queue_;
  std::size_t bytes_ = 0;  // of those that wait and of the one that runs
  bool stopping_ = false;
  threads::Thread thread_;  // last: it uses the others
};

}  // namespace belay::protocol
