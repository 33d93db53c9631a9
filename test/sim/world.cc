#include "world.h"

#include <algorithm>
#include <cstdio>

namespace belay::sim {

World::World(std::uint64_t seed, bool trace) : digest_(seed), trace_(trace) {
  now_us_ = 1'000'000;  // nothing happens at 0, which means "never" to some
}

void World::push(std::uint64_t delay, std::uint64_t life, std::function<void()> what) {
  queue_.push_back({now_us_ + delay, ++order_, life, std::move(what)});
  std::push_heap(queue_.begin(), queue_.end(), later);
}

void World::wake_at(std::uint64_t monotonic_ms) {
  if (!alive_) return;
  if (monotonic_ms >= kNever / 1000) {
    alarm_us_ = kNever;
    return;
  }
  const auto late = late_();
  alarm_us_ = std::max(now_us_, monotonic_ms * 1000) + late;
}

void World::wake() {
  if (!alive_) return;
  in_life(late_() % 1000, [this] { turn_(); });
}

std::uint64_t World::begin_life(std::function<void()> turn, std::function<std::uint64_t()> late) {
  turn_ = std::move(turn);
  late_ = std::move(late);
  alive_ = true;
  alarm_us_ = kNever;
  return ++life_;
}

void World::end_life() {
  alive_ = false;
  alarm_us_ = kNever;
}

bool World::run_one() {
  if (alive_ && alarm_us_ != kNever && (queue_.empty() || alarm_us_ <= queue_.front().at)) {
    now_us_ = std::max(now_us_, alarm_us_);
    alarm_us_ = kNever;
    ++events_;
    mix(now_us_);
    turn_();
    return true;
  }
  if (queue_.empty()) return false;
  std::pop_heap(queue_.begin(), queue_.end(), later);
  const auto event = std::move(queue_.back());
  queue_.pop_back();
  if (event.life != 0 && (!alive_ || event.life != life_)) return true;
  now_us_ = event.at;
  ++events_;
  mix(now_us_ ^ event.order << 40);
  event.what();
  return true;
}

void World::fail(std::string what) {
  if (!failure_.empty()) return;
  failure_ = fmt::format("at {}.{:03} ms: {}", now_ms(), now_us_ % 1000, what);
  note("FAILURE: {}", what);
}

void World::print(std::string_view line) const {
  std::printf("%12.3f %s\n", static_cast<double>(now_us_) / 1000.0, std::string(line).c_str());
  std::fflush(stdout);
}

}  // namespace belay::sim
