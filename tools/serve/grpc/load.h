// What the requests in flight take, and its limits.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace belay::door {

// Thread-safe.
class Load {
 public:
  Load(std::size_t requests_max, std::size_t bytes_max)
      : requests_max_(requests_max),
        unread_max_(std::max(requests_max, kUnreadMaxMin)),
        bytes_max_(bytes_max) {}

  // One request more, and its bytes; false: beyond a limit. `answered` and `leave` must be called
  // in either case.
  bool enter(std::size_t bytes) {
    requests_.fetch_add(1, std::memory_order_relaxed);
    open_.fetch_add(1);
    const bool fits = in_flight_.fetch_add(1) < requests_max_;
    return reserve(bytes) && fits && !has_too_many();
  }
  // It takes the place of no other request any more, even if its client does not read the answer.
  void answered() { in_flight_.fetch_sub(1); }
  void leave(std::size_t bytes) {
    open_.fetch_sub(1);
    bytes_.fetch_sub(bytes);
  }
  // So many answers are unread that those should go whose clients do not read.
  bool has_many_unread() const {
    return 2 * open_ >= unread_max_ + 2 * in_flight_ || bytes_ >= bytes_max_;
  }
  // There is no place for an answer that says no.
  bool has_too_many() const { return open_ > requests_max_ + unread_max_; }
  // More bytes for a request; they are counted even if they are beyond the limit. A request that is
  // alone has the place it needs.
  bool reserve(std::size_t bytes) {
    const auto held = bytes_.fetch_add(bytes);
    return held == 0 || held + bytes <= bytes_max_;
  }
  void count_refused() { refused_.fetch_add(1, std::memory_order_relaxed); }

  std::uint64_t in_flight() const { return in_flight_; }
  std::uint64_t requests() const { return requests_; }
  std::uint64_t refused() const { return refused_; }

 private:
  static constexpr std::size_t kUnreadMaxMin = 1'024;

  const std::size_t requests_max_;
  const std::size_t unread_max_;
  const std::size_t bytes_max_;
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<std::size_t> open_{0};  // and those whose answer is not read yet
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace belay::door
