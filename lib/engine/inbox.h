// What goes between the loop and other threads: their requests in, the engine's counters out.
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
  // Both live longer.
  Inbox(const Limits& limits, ports::Alarm& alarm) : limits_(limits), alarm_(alarm) {}

  // From any thread. Errors: closed, busy, queued_bytes_limit.
  Result<> put(Request request);
  bool is_open() const;
  Counters counters() const;

  // The rest belongs to the loop.
  void open(const Counters& counters);
  // From now on nothing is taken. What is in it still comes out.
  void close();
  // The next request, which may be changed until the next call; null: there is none.
  Request* next();
  // Requests that were given out are queued until this says that they are not any more.
  void unqueue(const Load& load);
  // Is there a next one? As of the last `publish` or `next`, which is enough to wake the loop: who
  // puts something into an empty inbox wakes it.
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
  std::size_t next_ = 0;        // the first of them that was not given out
  bool more_at_publish_ = false;
};

}  // namespace belay::engine
