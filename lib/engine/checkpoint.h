// Decides which rows the next batch carries, and which log rows become superfluous. Rows of
// finished transactions are added to commits that are made anyway, so that the log is folded
// without bursts of writing. From time to time each unfinished transaction that has been dirty for
// a whole interval gets a row as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "belay/options.h"
#include "engine/live.h"
#include "ports/store.h"

namespace belay::engine {

class Checkpoint {
 public:
  // `options` must outlive this object.
  explicit Checkpoint(const Options& options) : options_(options) {}

  // At a start: `dirty` holds, in any order, the recovered transactions that have records not
  // covered by a row.
  void start(std::vector<Live*> dirty, std::uint64_t monotonic);

  // True if the transaction's row stays in the file after the transaction has finished.
  bool is_kept(const core::Transaction& transaction) const;
  // The transaction has a record in the batch `lsn`.
  void wrote(Live& live, core::Lsn lsn) {
    if (live.first_lsn == 0) append(live, lsn);
  }
  // The transaction has finished, and the record of that is on disk. True: its row must be written
  // or erased before the transaction may be forgotten. False: the transaction may be forgotten at
  // once.
  bool finished(Live& live);
  void forget(Live& live) { remove(live); }

  struct Moment {
    std::uint64_t now = 0;  // the engine's time
    core::Lsn newest = 0;   // the newest lsn of the batch that is about to be handed to the store
    bool is_running = true;
    std::size_t row_bytes = 0;  // see BatchBudget
  };
  // Fills `batch.rows` and `batch.fold_below`.
  void choose(ports::Batch& batch, const Moment& moment);
  // True if the batch folds more of the log than the last batch did.
  bool folds(const ports::Batch& batch) const { return batch.fold_below > folded_below_; }
  // The batch is on disk, and the log has `log_bytes` now. `newest`: the newest lsn that was handed
  // to the store.
  void committed(const ports::Batch& batch, std::uint64_t log_bytes, core::Lsn newest);

  // True: an interval has passed. `newest`: the newest lsn that was handed to the store.
  bool tick(std::uint64_t monotonic, core::Lsn newest);
  std::uint64_t next_tick_at() const { return next_tick_at_; }  // monotonic
  // When a finished transaction has waited long enough for its row, in the engine's time; 0: none
  // waits.
  std::uint64_t next_row_at() const;

  // The engine closes: every transaction gets its row.
  void fold_all() { fold_target_ = ~core::Lsn{0}; }
  // Returns, only once, the finished transactions whose rows were in the batch that is on disk now:
  // these transactions may be forgotten.
  std::vector<Live*> take_written() { return std::exchange(in_batch_, {}); }
  bool is_done() const { return dirty_.empty() && finished_.empty(); }

 private:
  void add_row(ports::Batch& batch, Live& live);
  void add_finished(ports::Batch& batch, std::size_t bytes_max);
  void add_snapshots(ports::Batch& batch, std::size_t bytes_max);
  void add_snapshot(ports::Batch& batch, Live& live);
  std::uint64_t interval() const;
  void append(Live& live, core::Lsn lsn);
  void remove(Live& live);

  const Options& options_;
  DirtyList dirty_;
  // All before it in the dirty list are finished: they need no snapshot, and are not looked at
  // again.
  Live* looked_until_ = nullptr;
  std::deque<Live*> finished_;   // finished according to the log on disk, but without a row
  std::vector<Live*> in_batch_;  // finished, and their row is in the batch that was chosen last
  core::Lsn fold_target_ = 0;    // dirty transactions up to this lsn get a row
  core::Lsn folded_below_ = 0;
  core::Lsn lsn_at_tick_ = 0;
  std::uint64_t next_tick_at_ = 0;
};

}  // namespace belay::engine
