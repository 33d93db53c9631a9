// libuv behind the ports: one loop (the engine's own on a thread, or the host's), an alarm, and a
// way for other threads to run functions on the loop. The host's worker pool is not used.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "belay/result.h"
#include "ports/clock.h"
#include "threads/linger.h"
#include "threads/thread.h"

struct uv_loop_s;

namespace belay::loop {

// The wall clock, in ms since the epoch.
std::uint64_t wall_ms();
// Monotonic. From any thread.
std::uint64_t monotonic_us();

class Loop final : public ports::Clock, public ports::Alarm {
 public:
  // `host`: null for a loop and a thread of its own. Errors: resources.
  static Result<std::unique_ptr<Loop>> make(uv_loop_s* host);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Creates the thread of the own loop; the thread waits for `start`. Errors: resources.
  Result<> make_thread();
  // Puts the handles on the loop; with a host's loop, call it on the loop's thread. `turn` runs on
  // the loop after every wake-up and alarm. Errors: resources; then nothing is on the loop.
  Result<> attach(std::function<void()> turn);
  // Removes the handles again, before `start`.
  void detach();
  // Lets the own thread run the loop.
  void start();
  // On the loop: closes the handles; `closed` runs when the last one is gone, and afterwards the
  // own thread ends.
  void close(std::function<void()> closed);
  // Waits for the own thread, which ends if it was not started. From any thread except that one.
  void join();
  // To be called instead of `join`, on the own thread or on a thread that the own thread waits for:
  // the thread keeps `owner`, which may own this object, until it ends.
  void leave_to(std::shared_ptr<void> owner);

  bool is_loop_thread() const;
  bool is_own() const { return own_ != nullptr; }
  // For the handles of other components, on the loop's thread (or before `start`).
  uv_loop_s* uv() { return loop_; }

  // Thread-safe: runs `function` on the loop, in order. After `close` the function is dropped.
  void post(std::function<void()> function);

  std::uint64_t wall_ms() override;
  std::uint64_t monotonic_ms() override;
  void wake_at(std::uint64_t monotonic_ms) override;
  void wake() override;
  void linger() override;  // does nothing on a host's loop

 private:
  struct Handles;
  explicit Loop(uv_loop_s* host);
  void on_wake();
  void run();
  bool stays_awake();

  std::unique_ptr<uv_loop_s> own_;
  uv_loop_s* loop_;
  std::unique_ptr<Handles> handles_;
  std::function<void()> turn_;
  std::function<void()> closed_;
  std::uint64_t alarm_at_ = ~std::uint64_t{0};
  threads::Linger linger_;
  std::uint64_t awake_until_ = 0;  // us; 0: it sleeps when it has nothing to do
  std::shared_ptr<void> owner_;
  base::Mutex join_mutex_;
  std::shared_ptr<std::atomic<bool>> thread_ended_;
  std::atomic<std::thread::id> thread_id_{};

  base::Mutex mutex_;
  std::condition_variable may_run_;
  std::vector<std::function<void()>> posted_ BELAY_GUARDED_BY(mutex_);
  std::vector<std::function<void()>> running_;
  bool open_ BELAY_GUARDED_BY(mutex_) = false;
  bool started_ BELAY_GUARDED_BY(mutex_) = false;
  bool ending_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Thread thread_;  // last, because the thread uses all the members above
};

}  // namespace belay::loop
