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

  // `name`: the name of each thread. `waiting_max`: how many functions may wait for a thread.
  explicit Pool(const char* name, std::size_t waiting_max = SIZE_MAX)
      : name_(name), waiting_max_(waiting_max) {}
  ~Pool() { end(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // From any thread. Starts threads until the pool has this many. Errors: resources (no thread is
  // left; the threads that were started stay), closed (after `end` or `stop`).
  Result<> have(std::size_t threads);
  // From any thread; never blocks. The next free thread runs `work`. The caller must know how many
  // threads are needed: without a thread `work` only waits. False: `work` was dropped, because
  // `waiting_max` functions wait already or the pool has ended. `since` is for `drop_older`.
  bool add(std::function<void()> work, Time since = {});
  // Drops the functions that have waited since `since` or longer. They must have been added in the
  // order of their times.
  void drop_older(Time since);
  // Returns when all added functions have run. Not to be called on a thread of the pool.
  void end();
  // Drops the functions that have not begun, and returns when no function runs any more. Not to be
  // called on a thread of the pool.
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
