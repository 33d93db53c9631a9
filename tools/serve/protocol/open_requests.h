// Requests that were taken and not yet answered. Each is answered once, whatever becomes of the
// work for it, and counted then.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "serve/http/message.h"
#include "serve/protocol/metrics.h"

namespace belay::protocol {

class OpenRequests;

class OpenRequest {
 public:
  OpenRequest(std::shared_ptr<OpenRequests> owner, std::string_view api, http::Respond respond);
  // Of one whose work was dropped: answers 503.
  ~OpenRequest();

  // The first call counts.
  void answer(http::Response response);

 private:
  const std::shared_ptr<OpenRequests> owner_;
  const std::string_view api_;
  const http::Respond respond_;
  const std::chrono::steady_clock::time_point begun_;
  std::atomic<bool> answered_ = false;
};

class OpenRequests : public std::enable_shared_from_this<OpenRequests> {
 public:
  // `api`: a route's fixed name, which lives for ever.
  std::shared_ptr<OpenRequest> begin(std::string_view api, http::Respond respond);
  // Answers all that are open with 503, and returns when none is being answered any more.
  void end_all();

  Metrics& metrics() { return metrics_; }

 private:
  friend class OpenRequest;
  void forget(const OpenRequest* open_request);

  Metrics metrics_;
  base::Mutex mutex_;
  std::condition_variable none_left_;
  std::unordered_map<const OpenRequest*, std::weak_ptr<OpenRequest>> open_ BELAY_GUARDED_BY(mutex_);
};

}  // namespace belay::protocol
