// Parses large bodies on a thread of its own: the larger a body, the longer this takes, and the
// server's threads must answer other requests meanwhile. The bytes of all bodies in the queue and
// in work are limited.
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

  // Error: resources (no thread is left).
  Result<> start();

  // False: there would be more than `bytes_max` (if the queue is empty, one body is accepted
  // whatever its size), or the queue was stopped.
  bool post(std::size_t bytes, Job job);
  // Drops the jobs that have not begun, and returns when no job runs any more.
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
  std::size_t bytes_ = 0;  // the bytes of the waiting bodies and of the one in work
  bool stopping_ = false;
  threads::Thread thread_;  // last, because the thread uses the other members
};

}  // namespace belay::protocol
