// What the handles of one loop share: they are counted, so that the end of the last one can be
// awaited, and they read into one buffer.
#pragma once

#include <array>
#include <functional>
#include <utility>

namespace belay::h2 {

class Handles {
 public:
  // For the socket that is being read: a loop reads one at a time.
  std::array<char, 64 * 1024> read_buffer;

  void opened() { ++open_; }
  // To be called in libuv's close callback, as the last thing: `closed` of `when_closed` may
  // destroy this object.
  void closed() {
    if (--open_ == 0 && closed_) std::exchange(closed_, nullptr)();
  }
  // At most once; runs at once if none is open.
  void when_closed(std::function<void()> closed) {
    closed_ = std::move(closed);
    if (open_ == 0) std::exchange(closed_, nullptr)();
  }

 private:
  int open_ = 0;
  std::function<void()> closed_;
};

}  // namespace belay::h2
