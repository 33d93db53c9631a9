// Runs queries on threads that each have a reader of the state file: a query may take a while, and
// neither the engine's loop nor the server's threads wait for it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "belay/reader.h"
#include "belay/types.h"
#include "threads/pool.h"

namespace belay::protocol {

class ReadPool {
 public:
  using Job = std::function<void(Reader& reader)>;

  // Errors: those of Reader::open; resources (no thread is left).
  static Result<std::unique_ptr<ReadPool>> make(const std::string& path, unsigned threads,
                                                std::size_t queued_max,
                                                Millis patience = Millis{5'000});
  ~ReadPool() { stop(); }

  // False: the queue is full, or the pool was stopped. A job that has waited longer than
  // `patience`, which is about as long as its client waits, is dropped. So a few expensive queries
  // do not delay all that follow, and no query is made for a client that is gone.
  bool post(Job job);
  // Drops the jobs that have waited for too long, even if no thread is free to look at them. To be
  // called from time to time.
  void drop_late() { threads_.drop_older(Clock::now() - patience_); }
  // Drops the jobs that have not begun, and returns when no job runs any more.
  void stop() { threads_.stop(); }

 private:
  using Clock = std::chrono::steady_clock;

  ReadPool(std::size_t queued_max, Millis patience)
      : patience_(patience), threads_("belay-read", queued_max) {}
  void run(const Job& job);

  const Millis patience_;
  base::Mutex mutex_;
  // The readers that no thread uses. There are as many readers as threads.
  std::vector<Reader> free_ BELAY_GUARDED_BY(mutex_);
  threads::Pool threads_;  // last: its threads use the other members
};

}  // namespace belay::protocol
