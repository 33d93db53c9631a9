// Requests that were accepted and not yet answered. Each is answered exactly once, whatever happens
// to its work, and is counted at that time.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/mutex.h"
#include "serve/http/message.h"
#include "serve/protocol/api_result.h"
#include "serve/protocol/metrics.h"

namespace belay::protocol {

class OpenRequests;

// Where the answer goes: to a client of HTTP, or of another door, which gives it its own form.
using Reply = std::variant<http::Respond, Done>;

class OpenRequest {
 public:
  OpenRequest(std::shared_ptr<OpenRequests> owner, std::string_view api, Reply reply);
  // If the request was not answered, because its work was dropped, answers that the client should
  // come again.
  ~OpenRequest();

  // Only the first call of these has an effect.
  void answer(ApiResult answer);
  // The request must be one of HTTP.
  void answer(http::Response response);

 private:
  template <class Send>
  void end(int status, Send send);

  const std::shared_ptr<OpenRequests> owner_;
  const std::string_view api_;
  const Reply reply_;
  const std::chrono::steady_clock::time_point begun_;
  std::atomic<bool> answered_ = false;
};

class OpenRequests : public std::enable_shared_from_this<OpenRequests> {
 public:
  // `api`: a route's fixed name, which must never be destroyed.
  std::shared_ptr<OpenRequest> begin(std::string_view api, Reply reply);
  // Tells all open requests to come again, and returns when no request is being answered any more.
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
