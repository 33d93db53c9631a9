// Checks that the file still belongs to this engine. Where locks work, the lock ensures this. But
// locks do not work on every disk that two machines share, nor against an engine that does not know
// this lock. So each write checks it again by the content of the file, within the same transaction.
#include <fmt/format.h>

#include <algorithm>

#include "store/journal_impl.h"

namespace belay::store {

// Once the write lock is taken, nobody can increment the epoch before the commit.
Result<> Journal::Impl::begin() {
  BELAY_TRY(statements_->begin.run());
  const sqlite::ResetAtEnd reset(statements_->epoch);
  auto row = statements_->epoch.step();
  if (!row) return row.error();
  return prove_epoch(*row ? statements_->epoch.number(0) : 0);
}

Result<> Journal::Impl::prove_epoch(std::uint64_t found) const {
  if (found == epoch_) return {};
  if (found > epoch_)
    return another_engine(fmt::format("it was opened again, as number {}", found));
  return Error{ErrorCode::storage,
               fmt::format("{} is older than this engine: opened {} times, this was number {}",
                           path_, found, epoch_)};
}

// Checks that an existing row with the number of the repeated batch is that batch.
Result<> Journal::Impl::prove_row(const ports::Batch& batch) {
  auto& find = statements_->find_log_row;
  find.bind(1, batch.lsn);
  const sqlite::ResetAtEnd reset(find);
  auto row = find.step();
  if (!row) return row.error();
  if (*row && batch.lsn == last_lsn_ && find.bytes(0) == batch.records) return {};
  return another_engine(fmt::format("log row {} is not this engine's", batch.lsn));
}

// After the file was opened again: checks that everything acknowledged is there, and nothing that
// others wrote.
Result<> Journal::Impl::prove_log() {
  if (last_lsn_ > std::max(newest_known_.lsn, in_doubt_lsn_))
    return another_engine(fmt::format("log row {} is not this engine's", last_lsn_));
  if (newest_known_.bytes == 0) return {};
  auto& find = statements_->find_log_row;
  find.bind(1, newest_known_.lsn);
  const sqlite::ResetAtEnd reset(find);
  auto row = find.step();
  if (!row) return row.error();
  // A batch whose commit failed may be on disk all the same and may have folded that row away. The
  // content of that batch is checked when the batch is handed in again.
  const bool folded = in_doubt_lsn_ > newest_known_.lsn && last_lsn_ == in_doubt_lsn_;
  if (!*row && folded) return {};
  if (!*row) {
    return Error{ErrorCode::storage,
                 fmt::format("{} has lost what was acknowledged: log row {} is not there", path_,
                             newest_known_.lsn)};
  }
  const auto found = find.bytes(0);
  if (found.size() == newest_known_.bytes && found.starts_with(newest_known_.head)) return {};
  return another_engine(fmt::format("log row {} is not this engine's", newest_known_.lsn));
}

Error Journal::Impl::another_engine(std::string_view seen) const {
  return {ErrorCode::superseded, fmt::format("another engine writes to {}: {}", path_, seen)};
}

}  // namespace belay::store
