// Times at which something is to be done, on one timer of the loop.
#pragma once

#include <uv.h>

#include <cstdint>
#include <set>
#include <utility>

#include "h2/handles.h"

namespace belay::h2 {

class Due {
 public:
  virtual ~Due() = default;
  virtual void due() = 0;

 private:
  friend class Times;
  std::uint64_t due_at_ = 0;  // 0: not
};

class Times {
 public:
  // Both must outlive the handles.
  Times(uv_loop_t* loop, Handles& handles);
  Times(const Times&) = delete;
  Times& operator=(const Times&) = delete;
  ~Times();

  std::uint64_t now() const { return uv_now(loop_); }
  // `at` in ms of the loop's clock; replaces the time that was set.
  void set(Due& due, std::uint64_t at);
  void clear(Due& due);

 private:
  void arm();
  void fire();

  uv_loop_t* loop_;
  Handles& handles_;
  std::set<std::pair<std::uint64_t, Due*>> all_;
  uv_timer_t* timer_;
  std::uint64_t armed_for_ = 0;  // 0: not
};

}  // namespace belay::h2
