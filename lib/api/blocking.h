// The threads of the blocking handlers. A call is handed over only when a thread is free for it, so
// that it begins at once; what waits, waits in the engine, where it costs nothing and can be
// withdrawn.
//
// A handler that waits for transactions gives its place to another one meanwhile: else handlers
// that wait for each other would stop all. For these there are as many threads again.
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
  // `opened` is called from any thread when there may be a place again, but for a call's end.
  Blocking(const Limits& limits, std::function<void()> opened);
  ~Blocking() { threads_.end(); }
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

  // Without one thread no place would ever open. Errors: resources (none is left).
  Result<> have_one() { return threads_.have(1); }
  // Is a thread free? One is made if it has to be.
  bool has_place();
  // Needs a place. `work`, then, when the place is free again, `done`; both on the thread. `bytes`
  // is what is kept for the call until then.
  void run(std::size_t bytes, std::function<void()> work, std::function<void()> done);
  // Do all that run wait for what others have to do?
  bool all_wait();
  // Is this one of its threads?
  bool is_own_thread() const;

  // While it lives, the calling thread waits for what others have to do. It is nothing on any other
  // thread than a blocking handler's, whichever engine's. Errors: busy (too many wait already),
  // resources (no thread is left).
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
  std::size_t running_ BELAY_GUARDED_BY(mutex_) = 0;  // those that wait among them
  std::size_t waiting_ BELAY_GUARDED_BY(mutex_) = 0;
  std::size_t waiting_bytes_ BELAY_GUARDED_BY(mutex_) = 0;
  threads::Pool threads_{"belay-blocking"};  // last: it uses all of the above
};

}  // namespace belay::api
