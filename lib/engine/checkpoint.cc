#include "engine/checkpoint.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/mark.h"
#include "core/apply.h"
#include "engine/limits.h"

namespace belay::engine {

// The dirty list is ordered by the oldest record.
void Checkpoint::start(std::vector<Live*> dirty, std::uint64_t monotonic) {
  std::sort(dirty.begin(), dirty.end(),
            [](const Live* a, const Live* b) { return a->first_lsn < b->first_lsn; });
  for (auto* live : dirty) append(*live, live->first_lsn);
  next_tick_at_ = monotonic + interval();
}

std::uint64_t Checkpoint::interval() const {
  return static_cast<std::uint64_t>(options_.checkpoint_interval.count());
}

bool Checkpoint::is_kept(const core::Transaction& transaction) const {
  return options_.history == History::all ||
         (options_.history == History::failed && transaction.status == Status::failed);
}

bool Checkpoint::finished(Live& live) {
  if (!is_kept(live.transaction) && !live.has_row) return false;
  finished_.push_back(&live);
  return true;
}

void Checkpoint::choose(ports::Batch& batch, const Moment& moment) {
  batch.rows.clear();
  in_batch_.clear();
  const bool in_hurry =
      !moment.is_running || (!dirty_.empty() && dirty_.head()->first_lsn <= fold_target_);
  const bool old = !finished_.empty() && next_row_at() <= moment.now;
  // Rows are written even if the batch has no records: the store then writes them while the engine
  // carries out the effects of the last batch.
  const bool enough = finished_.size() >= kRowsWorthWriting;
  if (in_hurry || old || enough) add_finished(batch, moment.row_bytes);
  add_snapshots(batch, moment.row_bytes);
  // All records older than the first record of the oldest dirty transaction are covered by the rows
  // of this batch or of earlier ones.
  batch.fold_below = dirty_.empty() ? moment.newest : dirty_.head()->first_lsn;
}

void Checkpoint::add_finished(ports::Batch& batch, std::size_t bytes_max) {
  std::size_t bytes = 0;
  while (!finished_.empty() && batch.rows.size() < kRowsPerBatch && bytes < bytes_max) {
    auto& live = *finished_.front();
    finished_.pop_front();
    bytes += live.bytes;
    add_row(batch, live);
    in_batch_.push_back(&live);
  }
}

void Checkpoint::add_snapshots(ports::Batch& batch, std::size_t bytes_max) {
  std::size_t count = 0;
  std::size_t bytes = 0;
  while (looked_until_ != nullptr && looked_until_->first_lsn <= fold_target_) {
    auto& live = *looked_until_;
    if (live.transaction.finished()) {
      looked_until_ = live.dirty_next;
      continue;
    }
    if (count++ == kSnapshotsPerBatch || bytes >= bytes_max) break;
    bytes += live.bytes;
    add_snapshot(batch, live);
  }
}

void Checkpoint::add_row(ports::Batch& batch, Live& live) {
  ports::RowChange row;
  row.id = live.transaction.id;
  row.lsn = live.last_lsn;
  row.erase = !is_kept(live.transaction);
  if (row.erase) BELAY_MARK(finished_erases_row);
  row.transaction = &live.transaction;
  batch.rows.push_back(std::move(row));
  remove(live);
}

void Checkpoint::add_snapshot(ports::Batch& batch, Live& live) {
  BELAY_MARK(snapshot_of_unfinished);
  ports::RowChange row;
  row.id = live.transaction.id;
  row.lsn = live.last_lsn;
  row.copy = std::make_unique<core::Transaction>(core::clone(live.transaction));
  row.transaction = row.copy.get();
  row.stuck = live.stuck;
  row.due_at = core::next_due(live.transaction);
  batch.rows.push_back(std::move(row));
  remove(live);
  live.has_row = true;
}

void Checkpoint::append(Live& live, core::Lsn lsn) {
  dirty_.append(live, lsn);
  if (looked_until_ == nullptr) looked_until_ = &live;
}

void Checkpoint::remove(Live& live) {
  if (looked_until_ == &live) looked_until_ = live.dirty_next;
  dirty_.remove(live);
}

void Checkpoint::committed(const ports::Batch& batch, std::uint64_t log_bytes, core::Lsn newest) {
  folded_below_ = batch.fold_below;
  if (log_bytes > options_.checkpoint_log_bytes) fold_target_ = std::max(fold_target_, newest);
}

bool Checkpoint::tick(std::uint64_t monotonic, core::Lsn newest) {
  if (next_tick_at_ > monotonic) return false;
  next_tick_at_ = monotonic + interval();
  fold_target_ = std::max(fold_target_, lsn_at_tick_);
  lsn_at_tick_ = newest;
  return true;
}

std::uint64_t Checkpoint::next_row_at() const {
  return finished_.empty() ? 0 : finished_.front()->transaction.updated_at + kRowAgeMax;
}

}  // namespace belay::engine
