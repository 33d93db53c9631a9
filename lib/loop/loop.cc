#include "loop/loop.h"

#include <uv.h>

#include <chrono>
#include <utility>

#include "belay/check.h"

namespace belay::loop {

std::uint64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::uint64_t monotonic_us() { return uv_hrtime() / 1000; }

// libuv keeps the handles' addresses until their close callbacks.
struct Loop::Handles {
  uv_async_t async{};
  uv_timer_t timer{};
  int open = 2;

  static void on_async(uv_async_t* handle) noexcept { static_cast<Loop*>(handle->data)->on_wake(); }
  static void on_timer(uv_timer_t* handle) noexcept {
    auto* loop = static_cast<Loop*>(handle->data);
    loop->alarm_at_ = ~std::uint64_t{0};
    loop->turn_();
  }
  static void on_closed(uv_handle_t* handle) noexcept {
    auto* loop = static_cast<Loop*>(handle->data);
    if (--loop->handles_->open != 0) return;
    // `closed` may destroy this object (a host's loop): nothing of it is touched afterwards.
    const auto closed = std::move(loop->closed_);
    closed();
  }
};

Loop::Loop(uv_loop_s* host) : loop_(host) {
  if (host != nullptr) return;
  own_ = std::make_unique<uv_loop_t>();
  BELAY_CHECK(uv_loop_init(own_.get()) == 0);
  loop_ = own_.get();
}

Loop::~Loop() {
  join();
  if (own_) BELAY_CHECK(uv_loop_close(own_.get()) == 0);  // no handle was forgotten
}

Result<> Loop::make_thread() {
  if (!own_) return {};
  auto thread = threads::Thread::start("belay-loop", [this] { run(); });
  if (!thread) return thread.error();
  thread_ = std::move(*thread);
  return {};
}

void Loop::start(std::function<void()> turn) {
  turn_ = std::move(turn);
  handles_ = std::make_unique<Handles>();
  BELAY_CHECK(uv_async_init(loop_, &handles_->async, &Handles::on_async) == 0);
  BELAY_CHECK(uv_timer_init(loop_, &handles_->timer) == 0);
  handles_->async.data = handles_->timer.data = this;
  if (!own_) thread_id_ = std::this_thread::get_id();
  const std::lock_guard lock(mutex_);
  open_ = started_ = true;
  may_run_.notify_one();
}

void Loop::run() {
  thread_id_ = std::this_thread::get_id();
  {
    std::unique_lock lock(mutex_);
    may_run_.wait(lock, [this] { return started_ || ending_; });
    if (!started_) return;
  }
  uv_run(loop_, UV_RUN_DEFAULT);
}

void Loop::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->async),
           reinterpret_cast<uv_close_cb>(&Handles::on_closed));
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->timer),
           reinterpret_cast<uv_close_cb>(&Handles::on_closed));
}

void Loop::join() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    may_run_.notify_one();
  }
  thread_.join();
}

bool Loop::is_loop_thread() const { return thread_id_.load() == std::this_thread::get_id(); }

void Loop::post(std::function<void()> function) {
  const std::lock_guard lock(mutex_);
  if (!open_) return;
  posted_.push_back(std::move(function));
  if (posted_.size() == 1) uv_async_send(&handles_->async);
}

void Loop::on_wake() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (const auto& function : running_) function();
  running_.clear();
  if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&handles_->async)) == 0) turn_();
}

std::uint64_t Loop::wall_ms() { return loop::wall_ms(); }

std::uint64_t Loop::monotonic_ms() {
  uv_update_time(loop_);
  return uv_now(loop_);
}

void Loop::wake_at(std::uint64_t monotonic_ms) {
  if (monotonic_ms == alarm_at_) return;
  const auto now = uv_now(loop_);
  if (monotonic_ms <= now) {
    // Not a timer of 0 ms: libuv runs one that its own callback started at once, and never gets to
    // its polling.
    uv_timer_stop(&handles_->timer);
    alarm_at_ = ~std::uint64_t{0};
    return wake();
  }
  alarm_at_ = monotonic_ms;
  if (monotonic_ms == ~std::uint64_t{0}) {
    uv_timer_stop(&handles_->timer);
  } else {
    uv_timer_start(&handles_->timer, &Handles::on_timer, monotonic_ms - now, 0);
  }
}

void Loop::wake() {
  const std::lock_guard lock(mutex_);
  if (open_) uv_async_send(&handles_->async);
}

}  // namespace belay::loop
