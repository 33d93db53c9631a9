// The parts of the journal. Used by one thread at a time, except for the mover, which has its own
// connection.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sqlite/sqlite.h"
#include "store/held_file.h"
#include "store/history_collector.h"
#include "store/holds.h"
#include "store/journal.h"
#include "store/lock_file.h"
#include "store/posted.h"
#include "store/row.h"
#include "store/schema.h"
#include "store/topics.h"
#include "store/wal_mover.h"

namespace belay::store {

inline constexpr std::string_view kDataVersion = "PRAGMA main.data_version";

// What `Journal::write_whole` writes with.
struct Writers {
  sqlite::Database& database;
  RowWriter& rows;
  TopicWriter& topics;
  sqlite::Statement& set_meta;
};

class Journal::Impl {
 public:
  explicit Impl(const JournalConfig& config) : config_(config), path_(config.path) {}
  ~Impl() { static_cast<void>(close().has_value()); }  // a destructor cannot report an error
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<> open();
  Result<Recovered> recover(const std::function<void(RecoveredTransaction)>& take,
                            const std::function<void(std::uint64_t)>& progress);
  Result<ports::StoreFigures> commit(const ports::Batch& batch);
  Result<std::vector<std::optional<ports::StoredSummary>>> lookup(
      const std::vector<std::string>& gids);
  Result<ports::Store::Posted> read_posted(const ports::Store::PostedQuery& query);
  Result<bool> collect(const ports::Store::Expiry& expiry);
  Result<> write_whole(const std::function<Result<>(Writers& writers)>& work);
  Result<> checkpoint_wal();
  Result<> move_wal_in_background(std::function<void()> on_progress);
  Result<> look();
  Result<bool> was_written();
  Result<> close();
  std::uint64_t now_us() const { return config_.now_us ? config_.now_us() : 0; }

 private:
  struct Statements {
    sqlite::Statement begin;
    sqlite::Statement epoch;
    sqlite::Statement commit;
    sqlite::Statement append;
    sqlite::Statement find_log_row;
    sqlite::Statement fold;
    sqlite::Statement erase;
    sqlite::Statement find;
    sqlite::Statement pages;
    sqlite::Statement set_meta;
    sqlite::Statement data_version;
    std::unique_ptr<RowWriter> rows;
    TopicWriter topics;
    HoldWriter holds;
    PostedTable posted;
  };
  struct LogRow {
    core::Lsn lsn;
    std::uint64_t bytes;
  };
  // Identifies a log row: its size and its head, which contains the checksum of the whole row.
  struct LogMark {
    core::Lsn lsn = 0;
    std::uint64_t bytes = 0;
    std::string head;
  };

  Result<> take_lock();
  Result<> refuse_new() const;
  Result<> check_whole() const;
  Result<> connect();
  Result<> set_up_file();
  Result<> count_epoch();
  Result<> prepare();
  Result<> read_log_sizes();
  Result<> learn_facts(FileKind kind);
  Result<> count_kept(std::uint64_t unfinished_rows);

  Result<> ensure_sound();
  Result<> repair();
  Result<> rewrite_wal();
  Result<> broke(Error error);
  // ours.cc: checks that the file still belongs to this engine.
  Result<> begin();
  Result<> prove_epoch(std::uint64_t found) const;
  Result<> prove_row(const ports::Batch& batch);
  Result<> prove_log();
  Result<> guard();
  Result<> rescue();
  Result<> close_elsewhere(Error why);
  Error another_engine(std::string_view seen) const;
  Result<> write(const ports::Batch& batch, core::Lsn fold_below);
  Result<> write_rows(const std::vector<ports::RowChange>& rows);
  Result<> write_extras(const ports::Batch& batch);
  Result<> sync();
  core::Lsn fold_limit(const ports::Batch& batch) const;
  void committed(const ports::Batch& batch, core::Lsn fold_below);

  std::uint64_t wal_size() const {
    return static_cast<std::uint64_t>(wal_frames_) * (page_bytes_ + 24);
  }
  Result<> checkpoint_here();
  Result<> checkpoint_with_mover();

  JournalConfig config_;
  std::string path_;
  FileFacts facts_;
  LockFile lock_;
  HeldFile file_;  // outlives every connection
  sqlite::Database database_;
  std::unique_ptr<Statements> statements_;
  std::unique_ptr<HistoryCollector> history_collector_;
  std::function<void()> on_wal_progress_;  // set: a mover is wanted
  std::unique_ptr<WalMover> mover_;

  bool closed_ = false;
  bool broken_ = false;  // the content of the file must be determined again
  std::optional<Error> superseded_;
  std::int64_t data_version_ = 0;  // changes when another connection writes
  bool may_have_missed_ = false;   // the file was opened again: others may have written before
  core::Lsn last_lsn_ = 0;         // the newest lsn in the file
  core::Lsn in_doubt_lsn_ = 0;     // the lsn of the batch whose commit failed last
  LogMark newest_known_;           // certainly on disk
  std::deque<LogRow> log_;
  std::uint64_t log_bytes_ = 0;
  std::uint64_t file_bytes_ = 0;
  std::uint64_t sync_us_ = 0;  // the sync time of the last commit
  std::uint64_t epoch_ = 0;

  std::uint64_t page_bytes_ = 0;
  int wal_frames_ = 0;  // frames in the write-ahead log, as of the last commit
  // How many of those frames are in the file, according to the mover's passes.
  int moved_frames_ = 0;
  // How many frames the previous pass left; 0: there was no pass.
  int remainder_before_ = 0;
  std::uint64_t next_move_ = 0;  // the size of the log at which moving is tried again
};

}  // namespace belay::store
