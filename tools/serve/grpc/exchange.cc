#include "serve/grpc/exchange.h"

#include <utility>

namespace belay::door {
namespace {

constexpr std::size_t kSmallAnswer = 4'096;

}  // namespace

bool Exchange::begin(std::shared_ptr<Exchange> self) {
  self_ = std::move(self);
  const bool fits = load_->enter(bytes_);
  if (open_->add(self_)) return fits;
  refuse("the server is stopping");
  return true;
}

void Exchange::tell(Answer answer) {
  if (answered_.exchange(true)) return;
  // The client may be slow to read it.
  const auto size = answer.message.size();
  if (size > kSmallAnswer) {
    bytes_ += size;
    if (!load_->reserve(size)) {
      load_->count_refused();
      answer = {status_of(protocol::ApiResult::overload("too many answers wait; try again later"))};
    }
  }
  if (answer.status.ok()) {
    const grpc::Slice slice(answer.message);
    *reply_ = grpc::ByteBuffer(&slice, 1);
  }
  Finish(answer.status);
}

void Exchange::refuse(std::string text) {
  load_->count_refused();
  tell({status_of(protocol::ApiResult::overload(std::move(text)))});
}

void Exchange::OnDone() {
  const auto keep = std::move(self_);
  open_->remove(keep);
  load_->leave(bytes_);
}

}  // namespace belay::door
