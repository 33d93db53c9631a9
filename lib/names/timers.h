// Functions that run later, on the loop. The clock is passed in, so that tests decide it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace belay::names {

class Timers {
 public:
  using Id = std::uint64_t;  // never 0
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  // `clock` tells ms and never goes back. `changed` runs when `next` may have changed, except
  // within `run`.
  explicit Timers(std::function<std::uint64_t()> clock, std::function<void()> changed = {})
      : clock_(std::move(clock)), changed_(std::move(changed)) {}

  std::uint64_t now() const { return clock_(); }
  // Functions with equal times run in the order of the calls; never within this call.
  Id after(std::uint64_t ms, std::function<void()> function);
  // The function does not run any more. An id that has run, or 0, does no harm.
  void cancel(Id id);
  // When the next function is due, or kNever.
  std::uint64_t next() const { return due_.empty() ? kNever : due_.begin()->first.first; }
  // Runs what is due; what it adds meanwhile has to wait for the next call.
  void run();

 private:
  using Key = std::pair<std::uint64_t, Id>;

  const std::function<std::uint64_t()> clock_;
  const std::function<void()> changed_;
  Id last_ = 0;
  bool running_ = false;
  std::map<Key, std::function<void()>> due_;
  std::map<Id, std::uint64_t> times_;
};

// At most one function that is to run later; it is forgotten with this object.
class Alarm {
 public:
  explicit Alarm(Timers& timers) : timers_(timers) {}
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { clear(); }

  void set(std::uint64_t ms, std::function<void()> function) {
    clear();
    id_ = timers_.after(ms, std::move(function));
  }
  void clear() { timers_.cancel(std::exchange(id_, 0)); }

 private:
  Timers& timers_;
  Timers::Id id_ = 0;
};

}  // namespace belay::names
