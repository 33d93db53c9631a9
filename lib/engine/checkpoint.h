// Which rows the next batch carries, and which log rows it makes superfluous. Rows of finished
// transactions ride along with commits that are made anyway, so that the log is folded without a
// burst. Now and then each unfinished one that has waited for a whole interval gets a row, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "belay/options.h"
#include "engine/live.h"
#include "ports/store.h"

namespace belay::engine {

class Checkpoint {
 public:
  // `options` live longer.
  explicit Checkpoint(const Options& options) : options_(options) {}

  // At a start: those of the transactions read back that have records no row covers, in any order.
  void start(std::vector<Live*> dirty, std::uint64_t monotonic);

  // Is its row to stay once it has finished?
  bool is_kept(const core::Transaction& transaction) const;
  // It has a record in the batch `lsn`.
  void wrote(Live& live, core::Lsn lsn) {
    if (live.first_lsn == 0) dirty_.append(live, lsn);
  }
  // It finished, and that is on disk. True: its row is to be written or erased, after which it may
  // be forgotten. False: it may be at once.
  bool finished(Live& live);
  void forget(Live& live) { dirty_.remove(live); }

  struct Moment {
    std::uint64_t now = 0;  // of the engine's time
    core::Lsn newest = 0;   // of the batch that is about to be handed over
    bool is_running = true;
    std::size_t row_bytes = 0;  // as BatchBudget has it
  };
  // Fills `batch.rows` and `batch.fold_below`.
  void choose(ports::Batch& batch, const Moment& moment);
  // Does the batch fold more than the last one did?
  bool folds(const ports::Batch& batch) const { return batch.fold_below > folded_below_; }
  // It is on disk; the log has so many bytes now. `newest`: of what was handed over.
  void committed(const ports::Batch& batch, std::uint64_t log_bytes, core::Lsn newest);

  // True: an interval is over. `newest`: of what was handed over.
  bool tick(std::uint64_t monotonic, core::Lsn newest);
  std::uint64_t next_tick_at() const { return next_tick_at_; }  // monotonic
  // When a finished one has waited for its row for long enough, on the engine's scale; 0: none.
  std::uint64_t next_row_at() const;

  // The engine closes: everything gets its row.
  void fold_all() { fold_target_ = ~core::Lsn{0}; }
  bool is_done() const { return dirty_.empty() && finished_.empty(); }

 private:
  void add_row(ports::Batch& batch, Live& live);
  void add_finished(ports::Batch& batch, std::size_t bytes_max);
  void add_snapshots(ports::Batch& batch, std::size_t bytes_max);
  void add_snapshot(ports::Batch& batch, Live& live);
  std::uint64_t interval() const;

  const Options& options_;
  DirtyList dirty_;
  std::deque<Live*> finished_;  // on disk in the log, without a row
  core::Lsn fold_target_ = 0;   // dirty ones up to here get a row
  core::Lsn folded_below_ = 0;
  core::Lsn lsn_at_tick_ = 0;
  std::uint64_t next_tick_at_ = 0;
};

}  // namespace belay::engine
