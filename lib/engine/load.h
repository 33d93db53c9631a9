// The size of a queue: how many requests it has, and how many bytes they hold.
#pragma once

#include <cstddef>

namespace belay::engine {

struct Load {
  std::size_t requests = 0;
  std::size_t bytes = 0;

  Load& operator+=(const Load& more) {
    requests += more.requests;
    bytes += more.bytes;
    return *this;
  }
  Load& operator-=(const Load& less) {
    requests -= less.requests;
    bytes -= less.bytes;
    return *this;
  }
};

}  // namespace belay::engine
