// Requests that were accepted and not yet answered. Each is answered exactly once, whatever happens
// to its work, and is counted at that time.
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
  // If the request was not answered, because its work was dropped, answers 503.
  ~OpenRequest();

  // Only the first call has an effect.
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
  // `api`: a route's fixed name, which must never be destroyed.
  std::shared_ptr<OpenRequest> begin(std::string_view api, http::Respond respond);
  // Answers all open requests with 503, and returns when no request is being answered any more.
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
