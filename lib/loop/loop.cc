#include "loop/loop.h"

#include <unistd.h>
#include <uv.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "base/mutex.h"
#include "belay/check.h"
#include "loop/left_threads.h"

namespace belay::loop {

std::uint64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

std::uint64_t monotonic_us() { return uv_hrtime() / 1000; }

// libuv keeps the addresses of the handles until their close callbacks.
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
    // `closed` may destroy this object (with a host's loop), so nothing of it is used afterwards.
    const auto closed = std::move(loop->closed_);
    closed();
  }
  static void on_discarded(uv_handle_t* handle) noexcept {
    auto* handles = static_cast<Handles*>(handle->data);
    if (--handles->open == 0) delete handles;
  }
};

namespace {

// How long the thread stays awake for a commit: as long as a small one takes on a fast disk.
constexpr std::uint64_t kLingerMicros = 200;

Error shortage(std::string_view doing, int code) {
  return {ErrorCode::resources, "cannot " + std::string(doing) + ": " + uv_strerror(code)};
}

// Whether the descriptors are available that libuv opens for a loop. Version 1.44 leaks a
// descriptor if it gets one and not the next; so the loop is not created then.
bool has_descriptors() {
  std::array<std::array<int, 2>, 3> pipes{};
  std::size_t made = 0;
  while (made < pipes.size() && ::pipe(pipes[made].data()) == 0) ++made;
  const int code = errno;
  for (std::size_t i = 0; i < made; ++i) {
    for (const int end : pipes[i]) ::close(end);
  }
  errno = code;
  return made == pipes.size();
}

}  // namespace

Result<std::unique_ptr<Loop>> Loop::make(uv_loop_s* host) {
  std::unique_ptr<Loop> loop(new Loop(host));
  if (host != nullptr) return loop;
  if (!has_descriptors()) return shortage("make a loop", uv_translate_sys_error(errno));
  const base::StandardStreamsTaken taken;
  auto own = std::make_unique<uv_loop_t>();
  if (const int code = uv_loop_init(own.get()); code != 0) return shortage("make a loop", code);
  loop->own_ = std::move(own);
  loop->loop_ = loop->own_.get();
  return loop;
}

Loop::Loop(uv_loop_s* host) : loop_(host) {}

Loop::~Loop() {
  join();
  if (own_) BELAY_CHECK(uv_loop_close(own_.get()) == 0);  // otherwise a handle was not closed
}

Result<> Loop::make_thread() {
  if (!own_) return {};
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  auto thread = threads::Thread::start("belay-loop", [this, ended] {
    run();
    *ended = true;
  });
  if (!thread) return thread.error();
  thread_ = std::move(*thread);
  thread_ended_ = ended;
  return {};
}

Result<> Loop::attach(std::function<void()> turn) {
  const base::StandardStreamsTaken taken;  // the first wake-up on a loop opens descriptors
  auto handles = std::make_unique<Handles>();
  if (const int code = uv_async_init(loop_, &handles->async, &Handles::on_async); code != 0) {
    return shortage("put a wake-up on the loop", code);
  }
  BELAY_CHECK(uv_timer_init(loop_, &handles->timer) == 0);  // needs no resource that could be short
  handles->async.data = handles->timer.data = this;
  handles_ = std::move(handles);
  turn_ = std::move(turn);
  if (!own_) thread_id_ = std::this_thread::get_id();
  const base::Lock lock(mutex_);
  open_ = true;
  return {};
}

// The handles own themselves until the loop has closed them, whoever runs the loop.
void Loop::detach() {
  {
    const base::Lock lock(mutex_);
    open_ = false;
  }
  auto* handles = handles_.release();
  handles->async.data = handles->timer.data = handles;
  for (auto* handle : {reinterpret_cast<uv_handle_t*>(&handles->async),
                       reinterpret_cast<uv_handle_t*>(&handles->timer)})
    uv_close(handle, &Handles::on_discarded);
  if (own_) uv_run(loop_, UV_RUN_DEFAULT);
}

void Loop::start() {
  const base::Lock lock(mutex_);
  started_ = true;
  may_run_.notify_one();
}

// When `owner` is released it may destroy this object, so nothing of it is used afterwards.
void Loop::run() {
  thread_id_ = std::this_thread::get_id();
  {
    base::Lock lock(mutex_);
    lock.wait(may_run_, [this]() BELAY_REQUIRES(mutex_) { return started_ || ending_; });
    if (!started_) return;
  }
  while (uv_run(loop_, stays_awake() ? UV_RUN_NOWAIT : UV_RUN_ONCE) != 0) {
  }
  thread_id_ = std::thread::id();
  std::shared_ptr<void> owner;
  {
    const base::Lock lock(mutex_);
    owner = std::move(owner_);
  }
}

void Loop::leave_to(std::shared_ptr<void> owner) {
  {
    const base::Lock lock(mutex_);
    owner_ = std::move(owner);
  }
  const base::Lock lock(join_mutex_);
  loop::leave(std::exchange(thread_, {}), thread_id_, thread_ended_);
}

void Loop::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  {
    const base::Lock lock(mutex_);
    open_ = false;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->async),
           reinterpret_cast<uv_close_cb>(&Handles::on_closed));
  uv_close(reinterpret_cast<uv_handle_t*>(&handles_->timer),
           reinterpret_cast<uv_close_cb>(&Handles::on_closed));
}

void Loop::join() {
  {
    const base::Lock lock(mutex_);
    ending_ = true;
    may_run_.notify_one();
  }
  const base::Lock lock(join_mutex_);
  thread_.join();
}

bool Loop::is_loop_thread() const { return thread_id_.load() == std::this_thread::get_id(); }

void Loop::post(std::function<void()> function) {
  const base::Lock lock(mutex_);
  if (!open_) return;
  posted_.push_back(std::move(function));
  if (posted_.size() == 1) uv_async_send(&handles_->async);
}

void Loop::on_wake() {
  if (std::exchange(awake_until_, 0) != 0) linger_.end(false);
  {
    const base::Lock lock(mutex_);
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
    // No timer of 0 ms is used: libuv runs a timer at once that its own callback started, and would
    // never poll.
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
  const base::Lock lock(mutex_);
  if (open_) uv_async_send(&handles_->async);
}

void Loop::linger() {
  if (is_own() && linger_.may_begin()) awake_until_ = loop::monotonic_us() + kLingerMicros;
}

// The thread does not yield meanwhile: beside busy threads of other programs that costs whole time
// slices, and its own slice is hardly used up.
bool Loop::stays_awake() {
  if (awake_until_ == 0) return false;
  if (loop::monotonic_us() < awake_until_) return true;
  awake_until_ = 0;
  linger_.end(true);
  return false;
}

}  // namespace belay::loop
