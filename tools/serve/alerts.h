// The alert webhook: what is stuck is posted to a URL, one alert for all transactions that have the
// same cause. A thread of its own does this, so that a slow webhook delays nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "belay/options.h"
#include "belay/result.h"
#include "serve/alert_groups.h"
#include "serve/log.h"
#include "threads/thread.h"

namespace belay::tool {

class Alerts {
 public:
  // With an empty URL no thread is started, and nothing is posted.
  Alerts(std::string url, std::string ca_file, const AlertLimits& limits, ServeLog& log);
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;
  ~Alerts();  // drops what is not posted yet

  // Errors: resources (no thread is left).
  Result<> start();

  // See Options::on_stuck and on_unstuck; `user` is the Alerts object.
  static void on_stuck(const StuckNotice& notice, void* user);
  static void on_unstuck(const UnstuckNotice& notice, void* user);

  struct Figures {
    std::uint64_t sent = 0, failed = 0, dropped = 0;  // totals
  };
  Figures figures() const { return {sent_, failed_, dropped_}; }

 private:
  void run();
  bool post_next();
  std::optional<Alert> next();
  bool pause();
  bool post(const Alert& alert);

  const std::string url_;
  const std::string ca_file_;
  ServeLog& log_;
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::uint64_t refused_ = 0;  // in a row; only for the thread
  base::Mutex mutex_;
  std::condition_variable changed_;
  AlertGroups groups_ BELAY_GUARDED_BY(mutex_);
  bool ending_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Thread thread_;  // last: the thread uses the other members
};

// The body of a post: dtm's members, and what is said of the group. Exposed for tests.
std::string body_of(const Alert& alert);

}  // namespace belay::tool
