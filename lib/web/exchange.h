// Requests that were taken and not yet answered. Each is answered once, whatever becomes of the
// work for it, and counted then.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "web/message.h"
#include "web/metrics.h"

namespace belay::web {

class Exchanges;

class Exchange {
 public:
  Exchange(std::shared_ptr<Exchanges> owner, std::string_view api, Respond respond);
  // Of one whose work was dropped: answers 503.
  ~Exchange();

  // The first call counts.
  void answer(Response response);

 private:
  const std::shared_ptr<Exchanges> owner_;
  const std::string_view api_;
  const Respond respond_;
  const std::chrono::steady_clock::time_point begun_;
  std::atomic<bool> answered_ = false;
};

class Exchanges : public std::enable_shared_from_this<Exchanges> {
 public:
  // `api`: a route's fixed name, which lives for ever.
  std::shared_ptr<Exchange> begin(std::string_view api, Respond respond);
  // Answers all that are open with 503, and returns when none is being answered any more.
  void end_all();

  Metrics& metrics() { return metrics_; }

 private:
  friend class Exchange;
  void forget(const Exchange* exchange);

  Metrics metrics_;
  std::mutex mutex_;
  std::condition_variable none_left_;
  std::unordered_map<const Exchange*, std::weak_ptr<Exchange>> open_;
};

}  // namespace belay::web
