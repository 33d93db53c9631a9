// One seeded queue is the clock, the timers, the network and the disk's completions. What belongs
// to a process (an engine's life) is dropped when that life ends; what belongs to the world goes
// on.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/clock.h"
#include "support/random.h"

namespace belay::sim {

class World final : public ports::Clock, public ports::Alarm {
 public:
  World(std::uint64_t seed, bool trace);

  // Ports of the engine that lives now.
  std::uint64_t wall_ms() override {
    return static_cast<std::uint64_t>(wall_offset_ + static_cast<std::int64_t>(now_ms()));
  }
  std::uint64_t monotonic_ms() override { return now_ms(); }
  void wake_at(std::uint64_t monotonic_ms) override;
  void wake() override;

  std::uint64_t now_us() const { return now_us_; }
  std::uint64_t now_ms() const { return now_us_ / 1000; }
  void jump_wall(std::int64_t by_ms) { wall_offset_ += by_ms; }

  // Runs `what` after so long, whatever lives then.
  void after_us(std::uint64_t delay, std::function<void()> what) {
    push(delay, 0, std::move(what));
  }
  // The same, unless this life ended before.
  void in_life(std::uint64_t delay, std::function<void()> what) {
    push(delay, life_, std::move(what));
  }

  // A new engine lives from now on; `turn` is what the alarm calls, `late` draws by how many us it
  // is late.
  std::uint64_t begin_life(std::function<void()> turn, std::function<std::uint64_t()> late);
  void end_life();
  bool alive() const { return alive_; }
  std::uint64_t life() const { return life_; }

  // False when nothing is left to happen.
  bool run_one();

  // The first failure ends the run.
  void fail(std::string what);
  bool failed() const { return !failure_.empty(); }
  const std::string& failure() const { return failure_; }

  void mix(std::uint64_t value) { digest_ = (digest_ ^ value) * 0x100000001b3u ^ (digest_ >> 41); }
  std::uint64_t digest() const { return digest_; }
  std::uint64_t events() const { return events_; }

  bool traces() const { return trace_; }
  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    if (trace_) print(fmt::format(format, std::forward<Args>(args)...));
  }
  void print(std::string_view line) const;

 private:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  struct Event {
    std::uint64_t at;
    std::uint64_t order;
    std::uint64_t life;  // 0: any
    std::function<void()> what;
  };
  static bool later(const Event& a, const Event& b) {
    return a.at != b.at ? a.at > b.at : a.order > b.order;
  }
  void push(std::uint64_t delay, std::uint64_t life, std::function<void()> what);

  std::vector<Event> queue_;  // a heap
  std::function<void()> turn_;
  std::function<std::uint64_t()> late_;
  std::string failure_;
  std::uint64_t now_us_ = 0;
  std::uint64_t order_ = 0;
  std::uint64_t alarm_us_ = kNever;
  std::uint64_t life_ = 0;
  std::uint64_t digest_ = 0;
  std::uint64_t events_ = 0;
  std::int64_t wall_offset_ = 1'760'000'000'000;
  bool alive_ = false;
  bool trace_ = false;
};

}  // namespace belay::sim
