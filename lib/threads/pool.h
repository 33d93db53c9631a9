// Threads that run functions. They are started when they are needed and kept until the end.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "base/mutex.h"
#include "belay/result.h"
#include "threads/thread.h"

namespace belay::threads {

class Pool {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `name`: as a thread's. `waiting_max`: of what no thread has begun.
  explicit Pool(const char* name, std::size_t waiting_max = SIZE_MAX)
      : name_(name), waiting_max_(waiting_max) {}
  ~Pool() { end(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // From any thread. Starts threads until there are so many. Errors: resources (none is left; those
  // there are stay), closed (after `end` or `stop`).
  Result<> have(std::size_t threads);
  // From any thread; never blocks. Runs on the next free thread. How many there have to be is the
  // caller's to know: without a thread it waits. False, and dropped: `waiting_max` wait already, or
  // the pool has ended. `since` is for `drop_older`.
  bool add(std::function<void()> work, Time since = {});
  // Drops what waits since then or before, which was added in that order.
  void drop_older(Time since);
  // Returns when all that was added has run. Not on one of its threads.
  void end();
  // Drops what has not begun, and returns when nothing runs any more. Not on one of its threads.
  void stop();

 private:
  struct Waiting {
    std::function<void()> work;
    Time since;
  };

  void run();

  const char* const name_;
  const std::size_t waiting_max_;
  base::Mutex mutex_;
  std::condition_variable more_;
  std::deque<Waiting> waiting_ BELAY_GUARDED_BY(mutex_);
  std::vector<Thread> threads_ BELAY_GUARDED_BY(mutex_);
  bool ending_ BELAY_GUARDED_BY(mutex_) = false;
};

}  // namespace belay::threads
