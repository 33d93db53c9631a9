#include "engine/figures.h"

namespace belay::engine {

void Figures::count(const Outcome& outcome) {
  switch (outcome.kind()) {
    case OutcomeKind::success: ++counters.calls_success; break;
    case OutcomeKind::failure: ++counters.calls_failure; break;
    case OutcomeKind::ongoing: ++counters.calls_ongoing; break;
    case OutcomeKind::unknown: ++counters.calls_unknown; break;
  }
}

void Figures::count_end(Status status) {
  --counters.live;
  ++(status == Status::succeed ? counters.succeeded : counters.failed);
}

void Figures::count_commit(const ports::Batch& batch, std::uint32_t records,
                           const ports::StoreFigures& figures, std::uint64_t now) {
  const auto log_bytes = batch.lsn == 0 ? 0 : batch.records.size();
  if (batch.lsn != 0) {
    ++counters.commits;
    counters.records += records;
    counters.log_bytes_written += log_bytes;
    batch_records_.add(records, now);
  }
  commit_cost_.add(log_bytes + figures.row_bytes, figures.commit_us);
  commit_us_.add(figures.commit_us, now);
  counters.commit_us += figures.commit_us;
  counters.sync_us += figures.sync_us;
  counters.row_bytes_written += figures.row_bytes;
  counters.log_bytes = figures.log_bytes;
  counters.file_bytes = figures.file_bytes;
  counters.wal_bytes = figures.wal_bytes;
}

void Figures::update(std::uint64_t now) {
  counters.commit_us_max = commit_us_.at(now);
  counters.batch_records_max = batch_records_.at(now);
  counters.due_lag_ms = due_lag_.at(now);
}

}  // namespace belay::engine
