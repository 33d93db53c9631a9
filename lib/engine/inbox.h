// Passes data between the loop and other threads: requests in, the engine's counters out.
#pragma once

#include <cstddef>
#include <vector>

#include "base/mutex.h"
#include "belay/engine.h"
#include "engine/requests.h"
#include "ports/clock.h"

namespace belay::engine {

class Inbox {
 public:
  // Both must outlive this object.
  Inbox(const Limits& limits, ports::Alarm& alarm) : limits_(limits), alarm_(alarm) {}

  // From any thread. Errors: closed, busy, queued_bytes_limit.
  Result<> put(Request request);
  bool is_open() const;
  Counters counters() const;

  // The other functions are for the loop only.
  void open(const Counters& counters);
  // From now on no request is accepted. Requests that are already in the inbox still come out.
  void close();
  // The next request, which the caller may change until the next call; null: there is none.
  Request* next();
  // A request that `next` has returned still counts as queued until this function says that it does
  // not.
  void unqueue(const Load& load);
  // True if there is a next request, as of the last `publish` or `next`. That is enough to wake the
  // loop: a thread that puts a request into an empty inbox wakes the loop itself.
  bool has_next() const { return next_ < taken_.size() || more_at_publish_; }
  void publish(const Counters& counters);

 private:
  Result<> may_queue(const Load& load) BELAY_REQUIRES(mutex_);

  const Limits& limits_;
  ports::Alarm& alarm_;

  mutable base::Mutex mutex_;
  std::vector<Request> waiting_ BELAY_GUARDED_BY(mutex_);
  Load queued_ BELAY_GUARDED_BY(mutex_);
  bool open_ BELAY_GUARDED_BY(mutex_) = false;
  std::uint64_t refused_ BELAY_GUARDED_BY(mutex_) = 0;
  Counters published_ BELAY_GUARDED_BY(mutex_);

  std::vector<Request> taken_;  // swapped with `waiting_`, so that both keep their memory
  std::size_t next_ = 0;        // the first of `taken_` that `next` has not returned
  bool more_at_publish_ = false;
};

}  // namespace belay::engine
