// Keeps this server registered while it runs. A thread of its own does this, so a registry that is
// away or slow delays nothing: neither the start nor a request.
#pragma once

#include <condition_variable>
#include <memory>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "belay/result.h"
#include "belay/types.h"
#include "serve/log.h"
#include "serve/registry.h"
#include "threads/thread.h"

namespace belay::tool {

class Registration {
 public:
  // Without a registry nothing is done. `shown`: the registry without passwords, for the log.
  Registration(std::unique_ptr<Registry> registry, std::string shown, ServeLog& log)
      : registry_(std::move(registry)), shown_(std::move(shown)), log_(log) {}
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  // Waits for the thread, which may be in a request.
  ~Registration();

  // Errors: resources (no thread is left).
  Result<> start();
  // The thread leaves the registry and ends; this does not wait for it.
  void end();

 private:
  void run();
  bool act();
  // False: the end.
  bool pause(Millis time);

  const std::unique_ptr<Registry> registry_;
  const std::string shown_;
  ServeLog& log_;
  bool registered_ = false;  // these three only for the thread
  bool failing_ = false;
  Millis wait_{0};
  base::Mutex mutex_;
  std::condition_variable changed_;
  bool ending_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Thread thread_;  // last: the thread uses the other members
};

}  // namespace belay::tool
