#include "engine/memory_limit.h"

#include <fmt/format.h>

#include "base/mark.h"

namespace belay::engine {

Result<> MemoryLimit::may_add(std::size_t bytes) const {
  if (live_.bytes() == 0 || live_.bytes() + bytes <= limits_.live_bytes_max) return {};
  BELAY_MARK(live_bytes_ran_out);
  return Error{
      ErrorCode::live_bytes_limit,
      fmt::format("unfinished transactions take {} bytes, with {} more they pass the limit "
                  "of {}",
                  live_.bytes(), bytes, limits_.live_bytes_max)};
}

Result<> MemoryLimit::may_grow(const Live& live, std::size_t bytes) {
  auto may = may_add(bytes);
  if (may || (grows_beyond_ != nullptr && grows_beyond_ != &live)) return may;
  grows_beyond_ = &live;
  return {};
}

Result<> MemoryLimit::may_wait(const Live& live, bool wants_final) const {
  if (!wants_final || live.transaction.finished()) return {};
  return may_add(sizeof(Waiter) + sizeof(Report));
}

}  // namespace belay::engine
