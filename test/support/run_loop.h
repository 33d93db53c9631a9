// Runs the loop until that is so; false if it is not in time.
#pragma once

#include <uv.h>

#include <chrono>
#include <functional>

namespace belay::test {

inline bool run_loop_until(uv_loop_t& loop, const std::function<bool()>& is_so,
                           std::chrono::milliseconds most) {
  const auto deadline = std::chrono::steady_clock::now() + most;
  uv_timer_t tick;  // the loop must come back to look
  uv_timer_init(&loop, &tick);
  uv_timer_start(
      &tick, [](uv_timer_t*) {}, 5, 5);
  while (!is_so() && std::chrono::steady_clock::now() < deadline) uv_run(&loop, UV_RUN_ONCE);
  bool gone = false;
  tick.data = &gone;
  uv_close(reinterpret_cast<uv_handle_t*>(&tick),
           [](uv_handle_t* handle) { *static_cast<bool*>(handle->data) = true; });
  while (!gone) uv_run(&loop, UV_RUN_ONCE);
  return is_so();
}

}  // namespace belay::test
