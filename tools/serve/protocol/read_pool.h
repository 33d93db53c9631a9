// Runs queries on threads that each have a reader of the state file: a query may take a while, and
// neither the engine's loop nor the server's threads wait for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "belay/reader.h"
#include "belay/types.h"
#include "threads/thread.h"

namespace belay::protocol {

class ReadPool {
 public:
  using Job = std::function<void(Reader& reader)>;

  // Errors: those of Reader::open; resources (no thread is left).
  static Result<std::unique_ptr<ReadPool>> make(const std::string& path, unsigned threads,
                                                std::size_t queued_max,
                                                Millis patience = Millis{5'000});
  ~ReadPool();

  // False: the queue is full, or the pool was stopped. A job that has waited longer than
  // `patience`, which is about as long as its client waits, is dropped: a few expensive queries
  // must not delay all that follow, nor be made for clients that are gone.
  bool post(Job job);
  // Drops the jobs that have waited too long even if no thread is free; to be called from time to
  // time.
  void drop_late();
  // Drops the jobs that have not begun, and returns when no job runs any more.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    Job job;
    Clock::time_point since;
  };

  ReadPool(std::size_t queued_max, Millis patience)
      : queued_max_(queued_max), patience_(patience) {}
  void run(Reader& reader);

  const std::size_t queued_max_;
  const Millis patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> queue_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<threads::Thread> threads_;
};

}  // namespace belay::protocol
