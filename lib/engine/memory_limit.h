// Limits::live_bytes_max: what unfinished transactions, and those who wait for them, may take.
#pragma once

#include <cstddef>

#include "belay/options.h"
#include "engine/live.h"

namespace belay::engine {

class MemoryLimit {
 public:
  // Both live longer.
  MemoryLimit(const Limits& limits, const LiveSet& live) : limits_(limits), live_(live) {}

  // A new transaction, or more who wait. A lone transaction is always taken. Errors:
  // live_bytes_limit.
  Result<> may_add(std::size_t bytes) const;
  // One that is there grows. When the memory is used up, one of all may still grow until it has
  // ended, or they could all wait for each other's end. Errors: live_bytes_limit.
  Result<> may_grow(const Live& live, std::size_t bytes);
  // Somebody waits, for its end if `wants_final`. Errors: live_bytes_limit.
  Result<> may_wait(const Live& live, bool wants_final) const;
  void forget(const Live& live) {
    if (grows_beyond_ == &live) grows_beyond_ = nullptr;
  }

 private:
  const Limits& limits_;
  const LiveSet& live_;
  const Live* grows_beyond_ = nullptr;
};

}  // namespace belay::engine
