// Threads that run functions. They are started when they are needed and kept until the end.
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
  // `name`: see Thread::start.
  explicit Pool(const char* name) : name_(name) {}
  ~Pool() { end(); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // From any thread. Starts threads until there are `threads` of them. Errors: resources (no thread
  // is left; the existing ones stay), closed (after `end`).
  Result<> have(std::size_t threads);
  // From any thread; never blocks. The next free thread runs `work`. The caller must know how many
  // threads are needed: without a thread the work waits. After `end` the work is dropped.
  void add(std::function<void()> work);
  // Returns when all added work has run. Must not be called on one of the pool's threads.
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
