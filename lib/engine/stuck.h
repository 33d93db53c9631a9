// Transactions that do not go on: which they are, the log's lines about them, and what
// Options::on_stuck is told once it is on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/log.h"
#include "base/log_burst.h"
#include "belay/options.h"
#include "core/decide.h"
#include "engine/live.h"
#include "engine/open_batch.h"

namespace belay::engine {

class StuckWatch {
 public:
  // Both live longer.
  StuckWatch(const Options& options, const base::Log& log) : options_(options), log_(log) {}

  // After each of its decisions. `held_up`: a call of it waits for a handler that still runs.
  // True: it is stuck from now on.
  bool judge(Live& live, bool held_up);
  std::uint64_t count() const { return count_; }

  // A line about one that is stuck from now on. A service that is down, or a handler that nobody
  // registered, has all its transactions stuck at once: so some lines are left out, and counted.
  // `monotonic`: ms.
  void log(const Live& live, bool held_up, std::uint64_t monotonic);
  void log_left_out(std::uint64_t monotonic);

  // Notes, for Options::on_stuck, what the step just decided says of a stuck one's calls, as it is
  // now: others may follow before this may be told. How many bytes that takes.
  std::size_t note(const Live& live, const core::Step& step, std::vector<StuckNote>& notes) const;
  void tell(const std::vector<StuckNote>& notes) const;

 private:
  const Options& options_;
  const base::Log& log_;
  base::LogBurst lines_;
  std::uint64_t count_ = 0;
};

}  // namespace belay::engine
