#include "store/quiet_file.h"

#include <utility>
#include <vector>

#include "core/codec.h"

namespace belay::store {

Result<QuietFile> QuietFile::open(const std::string& path, bool must_exist) {
  QuietFile file;
  JournalConfig config;
  config.path = path;
  config.must_exist = must_exist;
  config.keeps_marks = true;
  auto journal = Journal::open(config);
  if (!journal) return journal.error();
  file.journal_ = std::move(*journal);
  BELAY_TRY(file.fold_log());
  return file;
}

// The memory that this takes is that of the transactions in the log, whose size is limited.
Result<> QuietFile::fold_log() {
  std::vector<RecoveredTransaction> changed;
  auto recovered = journal_->recover(
      [&](RecoveredTransaction one) {
        if (one.first_lsn != 0) changed.push_back(std::move(one));
      },
      {});
  if (!recovered) return recovered.error();
  recovered_ = std::move(*recovered);
  lsn_ = recovered_.last_lsn + 1;
  ports::Batch batch;
  batch.lsn = batch.fold_below = lsn_;
  batch.records = core::BatchWriter().take();
  for (auto& one : changed) {
    auto& row = batch.rows.emplace_back();
    row.id = one.transaction.id;
    row.lsn = lsn_;
    row.stuck = core::is_stuck(one.transaction, recovered_.stuck_after);
    row.due_at = core::next_due(one.transaction);
    row.copy = std::make_unique<core::Transaction>(std::move(one.transaction));
    row.transaction = row.copy.get();
  }
  auto folded = journal_->commit(batch);
  if (!folded) return folded.error();
  // One commit deletes a limited number of log rows.
  ports::Batch rest;
  rest.fold_below = lsn_;
  for (auto before = folded->log_bytes; before > batch.records.size();) {
    folded = journal_->commit(rest);
    if (!folded) return folded.error();
    if (folded->log_bytes == before) break;
    before = folded->log_bytes;
  }
  return journal_->checkpoint_wal();
}

}  // namespace belay::store
