#include "serve/protocol/open_requests.h"

#include <utility>
#include <vector>

#include "serve/protocol/api_result.h"
#include "threads/scarce.h"

namespace belay::protocol {
namespace {

http::Response closing() {
  return to_response({ApiResult::Kind::overload, "the server is closing", {}});
}
// The answer if the work for a request was dropped.
http::Response busy() {
  return to_response({ApiResult::Kind::overload, "too busy, try again", {}});
}

}  // namespace

OpenRequest::OpenRequest(std::shared_ptr<OpenRequests> owner, std::string_view api,
                         http::Respond respond)
    : owner_(std::move(owner)),
      api_(api),
      respond_(std::move(respond)),
      begun_(std::chrono::steady_clock::now()) {}

// If there is no memory for a text, the status alone must suffice.
OpenRequest::~OpenRequest() {
  if (answered_ || threads::run_if_memory([this] { answer(busy()); })) return;
  threads::run_if_memory([this] { answer(http::Response{503, {}, {}, {}}); });
}

void OpenRequest::answer(http::Response response) {
  if (answered_.exchange(true)) return;
  // Whatever happens, this request is not open any more.
  const std::unique_ptr<OpenRequest, void (*)(OpenRequest*)> end(
      this, [](OpenRequest* self) { self->owner_->forget(self); });
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun_;
  const auto status = response.status;
  respond_(std::move(response));
  owner_->metrics().count_request(api_, status, taken.count());
}

std::shared_ptr<OpenRequest> OpenRequests::begin(std::string_view api, http::Respond respond) {
  auto open_request = std::make_shared<OpenRequest>(shared_from_this(), api, std::move(respond));
  const base::Lock lock(mutex_);
  open_.emplace(open_request.get(), open_request);
  return open_request;
}

void OpenRequests::forget(const OpenRequest* open_request) {
  const base::Lock lock(mutex_);
  open_.erase(open_request);
  if (open_.empty()) none_left_.notify_all();
}

void OpenRequests::end_all() {
  std::vector<std::shared_ptr<OpenRequest>> left;
  {
    const base::Lock lock(mutex_);
    for (const auto& [key, weak] : open_) {
      if (auto open_request = weak.lock()) left.push_back(std::move(open_request));
    }
  }
  for (const auto& open_request : left) open_request->answer(closing());
  base::Lock lock(mutex_);
  lock.wait(none_left_, [this]() BELAY_REQUIRES(mutex_) { return open_.empty(); });
}

}  // namespace belay::protocol
