// The threads of the blocking handlers. A call is handed over only when a thread is free for it, so
// the call begins at once. Waiting calls stay in the engine, where they take no thread and can be
// withdrawn.
//
// A handler that waits for transactions gives its place to another handler while it waits;
// otherwise handlers that wait for each other would block all places. For such handlers there may
// be as many threads more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>

#include "base/mutex.h"
#include "belay/options.h"
#include "belay/result.h"
#include "threads/pool.h"

namespace belay::api {

class Blocking {
 public:
  // `opened` is called from any thread when there may be a place again, except when the reason is
  // the end of a call.
  Blocking(const Limits& limits, std::function<void()> opened);
  ~Blocking() { threads_.end(); }
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

  // Makes sure that there is at least one thread: without a thread no place would ever become free.
  // Errors: resources (no thread is left).
  Result<> have_one() { return threads_.have(1); }
  // True if a thread is free; a thread is created if necessary.
  bool has_place();
  // Needs a place. Runs `work`, and then, when the place is free again, `done`, both on the thread.
  // `bytes` is the memory that is kept for the call until then.
  void run(std::size_t bytes, std::function<void()> work, std::function<void()> done);
  // True if every running handler waits for others.
  bool all_wait();
  // True if the calling thread belongs to this object.
  bool is_own_thread() const;

  // While a Wait exists, the calling thread waits for the work of others. On a thread that runs no
  // blocking handler of any engine, a Wait has no effect. Errors: busy (too many handlers wait
  // already), resources (no thread is left).
  class Wait {
   public:
    static Result<Wait> begin();
    Wait(Wait&& other) noexcept;
    Wait& operator=(Wait&&) = delete;
    ~Wait();

   private:
    Wait(Blocking* of, std::size_t bytes) : of_(of), bytes_(bytes) {}
    Blocking* of_;
    std::size_t bytes_;  // kept for the call whose handler waits
  };

 private:
  Result<> begin_wait(std::size_t bytes);
  void end_wait(std::size_t bytes);

  const std::size_t places_;
  const std::size_t waiting_max_;
  const std::size_t waiting_bytes_max_;
  const std::function<void()> opened_;
  base::Mutex mutex_;
  std::size_t running_ BELAY_GUARDED_BY(mutex_) = 0;  // including those that wait
  std::size_t waiting_ BELAY_GUARDED_BY(mutex_) = 0;
  std::size_t waiting_bytes_ BELAY_GUARDED_BY(mutex_) = 0;
  threads::Pool threads_{"belay-blocking"};  // last, because the threads use all the members above
};

}  // namespace belay::api
