#include "h2/times.h"

#include <algorithm>

#include "belay/check.h"

namespace belay::h2 {

Times::Times(uv_loop_t* loop, Handles& handles)
    : loop_(loop), handles_(handles), timer_(new uv_timer_t) {
  BELAY_CHECK(uv_timer_init(loop_, timer_) == 0);
  timer_->data = this;
  handles_.opened();
}

Times::~Times() {
  timer_->data = &handles_;
  uv_close(reinterpret_cast<uv_handle_t*>(timer_), [](uv_handle_t* handle) noexcept {
    auto* handles = static_cast<Handles*>(handle->data);
    delete reinterpret_cast<uv_timer_t*>(handle);
    handles->closed();
  });
}

void Times::set(Due& due, std::uint64_t at) {
  clear(due);
  due.due_at_ = std::max<std::uint64_t>(at, 1);
  all_.emplace(due.due_at_, &due);
  if (armed_for_ == 0 || due.due_at_ < armed_for_) arm();
}

void Times::clear(Due& due) {
  if (due.due_at_ == 0) return;
  all_.erase({std::exchange(due.due_at_, 0), &due});
}

// The timer is not moved when the first time is cleared: most calls end before theirs, and the
// timer would be moved for each.
void Times::arm() {
  armed_for_ = 0;
  if (all_.empty()) {
    uv_timer_stop(timer_);
    return;
  }
  armed_for_ = all_.begin()->first;
  uv_update_time(loop_);
  const auto time = now();
  uv_timer_start(
      timer_, [](uv_timer_t* timer) noexcept { static_cast<Times*>(timer->data)->fire(); },
      armed_for_ > time ? armed_for_ - time : 0, 0);
}

void Times::fire() {
  const auto time = now();
  while (!all_.empty() && all_.begin()->first <= time) {
    auto* first = all_.begin()->second;
    clear(*first);
    first->due();
  }
  arm();
}

}  // namespace belay::h2
