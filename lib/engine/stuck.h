// The transactions that do not make progress: which they are, the log lines about them, and the
// notices for Options::on_stuck and on_unstuck, which are delivered once they are on disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
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
  // Both must outlive this object.
  StuckWatch(const Options& options, const base::Log& log) : options_(options), log_(log) {}

  // To be called after each decision about the transaction. `held_up`: a call of it waits for a
  // handler that still runs. True: the transaction has just become stuck.
  bool judge(Live& live, bool held_up);
  std::uint64_t count() const { return count_; }

  // Logs that a transaction has become stuck: what it waits for, and why it turned back if it did.
  // `held_up`: the branch that waits for a handler that still runs. If a service is down or a
  // handler is not registered, all transactions that need it become stuck at once: so some lines
  // are left out and counted. `monotonic`: ms.
  void log(const Live& live, std::optional<std::uint32_t> held_up, std::uint64_t monotonic);
  void log_left_out(std::uint64_t monotonic);

  // Adds to `notes` what `step` has decided about the calls of a stuck transaction. The notes are
  // copies, because later steps may follow before the notes may be delivered. Returns the bytes
  // that the new notes take.
  std::size_t note(const Live& live, const core::Step& step, std::vector<StuckNote>& notes) const;
  // The same for: the transaction is stuck no longer.
  std::size_t note_over(const Live& live, std::vector<StuckNote>& notes) const;
  void tell(const std::vector<StuckNote>& notes) const;

 private:
  void note_record(const core::Transaction& transaction, const core::Record& record,
                   std::vector<StuckNote>& notes) const;
  void add_over(const core::Transaction& transaction, std::string_view branch_id,
                std::vector<StuckNote>& notes) const;
  void tell_stuck(const StuckNote& note) const;
  void tell_over(const StuckNote& note) const;

  const Options& options_;
  const base::Log& log_;
  base::LogBurst lines_;
  std::uint64_t count_ = 0;
};

}  // namespace belay::engine
