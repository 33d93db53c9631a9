#include "serve/grpc/exchange.h"

#include <utility>

namespace belay::door {
namespace {

constexpr std::size_t kSmallAnswer = 4'096;
// How long an answer may be under way when too many are.
constexpr std::chrono::seconds kSmallPatience{1};
constexpr std::chrono::seconds kLargePatience{10};

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
  load_->answered();
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
  unread_after_ = Clock::now() + (size > kSmallAnswer ? kLargePatience : kSmallPatience);
  Finish(answer.status);
}

void Exchange::refuse(std::string text) {
  load_->count_refused();
  tell({status_of(protocol::ApiResult::overload(std::move(text)))});
}

void Exchange::cut_off() {
  const base::Lock lock(mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

void Exchange::cut_off_if_unread() {
  if (Clock::now() > unread_after_.load()) cut_off();
}

void Exchange::OnDone() {
  const auto keep = std::move(self_);
  {
    const base::Lock lock(mutex_);
    context_ = nullptr;
  }
  open_->remove(keep);
  load_->leave(bytes_);
}

}  // namespace belay::door
