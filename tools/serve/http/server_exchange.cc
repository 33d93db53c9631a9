#include "serve/http/exchange.h"

#include <microhttpd.h>

#include "serve/http/server_daemon.h"

namespace belay::http {

void Exchange::answer(Response response) {
  const auto keep = shared_from_this();
  const base::Lock lock(mutex_);
  if (connection_ == nullptr || response_) return;
  response_ = std::move(response);
  if (!is_suspended_) return;
  is_suspended_ = false;
  // The connection is resumed before this exchange is removed from the list; otherwise a stopping
  // server would not see the exchange.
  daemon_.resume(connection_);
  suspended_->remove(keep);
}

std::optional<Response> Exchange::take_or_suspend() {
  const base::Lock lock(mutex_);
  if (response_) return std::exchange(response_, Response{});
  if (!suspended_->add(shared_from_this())) {
    return Response{503, "text/plain; charset=utf-8", "stopping\n", {{"Retry-After", "1"}}, {}};
  }
  is_suspended_ = true;
  MHD_suspend_connection(connection_);
  return std::nullopt;
}

void Exchange::begin(std::shared_ptr<Stream> answer) {
  const base::Lock lock(mutex_);
  stream = std::move(answer);
  stream->attach({[connection = connection_] { MHD_suspend_connection(connection); },
                  [&daemon = daemon_, connection = connection_] { daemon.resume(connection); }});
}

void Exchange::detach() {
  if (stream) stream->detach();
  const base::Lock lock(mutex_);
  connection_ = nullptr;
  response_.reset();
  if (std::exchange(is_suspended_, false)) suspended_->remove(shared_from_this());
}

}  // namespace belay::http
