// Runs work at a later time, on a thread of its own: tools/serve/protocol has no loop.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>

#include "base/mutex.h"
#include "belay/result.h"
#include "belay/types.h"
#include "threads/thread.h"

namespace belay::protocol {

class Deadlines {
 public:
  ~Deadlines() { stop(); }

  // Errors: resources (no thread is left).
  Result<> start();

  // `work` must not wait. It is dropped if `stop` is called before its time.
  void after(Millis delay, std::function<void()> work);
  // Returns when no work is running and none will run any more.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  void run();

  base::Mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Clock::time_point, std::function<void()>> due_ BELAY_GUARDED_BY(mutex_);
  bool stopping_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Thread thread_;  // last: it uses all of the above
};

}  // namespace belay::protocol
