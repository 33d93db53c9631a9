// Limits::live_bytes_max: the memory for unfinished transactions and for the callers that wait for
// them.
#pragma once

#include <cstddef>

#include "belay/options.h"
#include "engine/live_set.h"

namespace belay::engine {

class MemoryLimit {
 public:
  // Both must outlive this object.
  MemoryLimit(const Limits& limits, const LiveSet& live) : limits_(limits), live_(live) {}

  // Whether a new transaction or more waiting callers may be added. If no transaction is in memory,
  // one is accepted whatever its size. Errors: live_bytes_limit.
  Result<> may_add(std::size_t bytes) const;
  // Whether an existing transaction may grow. When the memory is used up, one single transaction
  // may still grow until it has ended; otherwise all transactions could wait for each other's end.
  // Errors: live_bytes_limit.
  Result<> may_grow(const Live& live, std::size_t bytes);
  // Whether a caller may wait, for the transaction's end if `wants_final`. Errors:
  // live_bytes_limit.
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
