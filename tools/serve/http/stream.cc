#include "serve/http/stream.h"

#include <algorithm>
#include <utility>

namespace belay::http {

bool Stream::write(std::string_view bytes) {
  const base::Lock lock(mutex_);
  if (state_ != State::open) return false;
  if (bytes.size() > waiting_max_ - waiting_.size()) {
    finish(State::broken);
    return false;
  }
  waiting_ += bytes;
  wake();
  return true;
}

void Stream::end() {
  const base::Lock lock(mutex_);
  if (state_ == State::open) finish(State::ended);
}

bool Stream::is_open() const {
  const base::Lock lock(mutex_);
  return state_ == State::open;
}

void Stream::attach(Sending sending) {
  const base::Lock lock(mutex_);
  sending_ = std::move(sending);
}

void Stream::detach() {
  const base::Lock lock(mutex_);
  sending_ = {};
  is_paused_ = false;
  finish(State::broken);
}

Stream::Part Stream::take(char* into, std::size_t size) {
  const base::Lock lock(mutex_);
  if (state_ == State::broken) return {Next::broken, 0};
  const auto taken = std::min(size, waiting_.size());
  if (taken > 0) {
    waiting_.copy(into, taken);
    waiting_.erase(0, taken);
    return {Next::bytes, taken};
  }
  if (state_ == State::ended) return {Next::end, 0};
  is_paused_ = true;
  if (sending_.pause) sending_.pause();
  return {Next::pause, 0};
}

void Stream::finish(State state) {
  state_ = state;
  if (state == State::broken) std::string().swap(waiting_);
  wake();
}

void Stream::wake() {
  if (std::exchange(is_paused_, false) && sending_.resume) sending_.resume();
}

}  // namespace belay::http
