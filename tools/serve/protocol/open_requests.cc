#include "serve/protocol/open_requests.h"

#include <utility>
#include <vector>

#include "serve/protocol/api_result.h"
#include "threads/scarce.h"

namespace belay::protocol {
namespace {

ApiResult closing() { return ApiResult::overload("the server is closing"); }
// The answer if the work for a request was dropped.
ApiResult busy() { return ApiResult::overload("too busy, try again"); }

}  // namespace

OpenRequest::OpenRequest(std::shared_ptr<OpenRequests> owner, std::string_view api, Reply reply)
    : owner_(std::move(owner)),
      api_(api),
      reply_(std::move(reply)),
      begun_(std::chrono::steady_clock::now()) {}

// If there is no memory for a text, the status alone must suffice.
OpenRequest::~OpenRequest() {
  if (answered_ || threads::run_if_memory([this] { answer(busy()); })) return;
  threads::run_if_memory([this] {
    if (std::holds_alternative<Done>(reply_)) return answer(ApiResult::overload({}));
    answer(http::Response{503, {}, {}, {}});
  });
}

template <class Send>
void OpenRequest::end(int status, Send send) {
  if (answered_.exchange(true)) return;
  // Whatever happens, this request is not open any more.
  const std::unique_ptr<OpenRequest, void (*)(OpenRequest*)> forget_at_end(
      this, [](OpenRequest* self) { self->owner_->forget(self); });
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun_;
  send();
  owner_->metrics().count_request(api_, status, taken.count());
}

void OpenRequest::answer(ApiResult answer) {
  const auto* done = std::get_if<Done>(&reply_);
  if (done == nullptr) return this->answer(to_response(answer));
  end(http_status(answer.kind), [&] { (*done)(std::move(answer)); });
}

void OpenRequest::answer(http::Response response) {
  const auto& respond = std::get<http::Respond>(reply_);
  end(response.status, [&] { respond(std::move(response)); });
}

std::shared_ptr<OpenRequest> OpenRequests::begin(std::string_view api, Reply reply) {
  auto open_request = std::make_shared<OpenRequest>(shared_from_this(), api, std::move(reply));
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
