// Threads that run what is handed in. They are started when they are needed and kept until the end.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <vector>

#include "base/mutex.h"
#include "belay/result.h"
#include "threads/thread.h"

namespace belay::threads {

class Pool {
 public:
  // `name`: as a thread's.
  explicit Pool(const char* name) : name_(name) {}
  ~Pool() { end(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // From any thread. Starts threads until there are so many. Errors: resources (none is left; those
  // there are stay), closed (after `end`).
  Result<> have(std::size_t threads);
  // From any thread; never blocks. Runs on the next free thread. How many there have to be is the
  // caller's to know: without a thread it waits. After `end`: dropped.
  void add(std::function<void()> work);
  // Returns when all that was added has run. Not on one of its threads.
  void end();

 private:
  void run();

  const char* const name_;
  base::Mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> work_ BELAY_GUARDED_BY(mutex_);
  std::vector<Thread> threads_ BELAY_GUARDED_BY(mutex_);
  bool ending_ BELAY_GUARDED_BY(mutex_) = false;
};

}  // namespace belay::threads
