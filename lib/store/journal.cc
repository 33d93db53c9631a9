// Opening, committing, looking up and closing. Recovery and the upkeep of the file are in files of
// their own.
#include "store/journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "belay/check.h"
#include "store/first_look.h"
#include "store/hosts.h"
#include "store/journal_impl.h"
#include "store/realms.h"
#include "store/schema.h"

namespace belay::store {
namespace {

// auto_vacuum must be set when the file is created. In measurements, pages of 8 KB were as fast as
// pages of 16 KB for ascending gids, and half as expensive for random gids.
constexpr const char* kNewFile = "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL;";
constexpr const char* kSettings =
    "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16000;"
    "PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY;";

constexpr std::string_view kNow = "SELECT strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
constexpr const char* kCountEpoch =
    "INSERT INTO meta VALUES('epoch', 1) ON CONFLICT(name) DO UPDATE SET value = value + 1";
constexpr std::string_view kSetStuckAfter =
    "INSERT INTO meta VALUES('stuck_after', ?1) ON CONFLICT(name) DO UPDATE SET value = "
    "excluded.value";
constexpr std::string_view kFirstStuckAfter =
    "INSERT OR IGNORE INTO meta VALUES('stuck_after', ?1)";
constexpr std::string_view kSetMeta =
    "INSERT INTO main.meta VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value";
// The figures must be those of this engine; it writes them once it has called a host.
constexpr const char* kForgetHosts = "DELETE FROM meta WHERE name = 'hosts'";
// Only the length: the records themselves are not read.
constexpr std::string_view kLogSizes = "SELECT lsn, length(records) FROM log ORDER BY lsn";

constexpr std::string_view kAppend = "INSERT INTO log(lsn, records) VALUES(?1, ?2)";
constexpr std::string_view kFindLogRow = "SELECT records FROM main.log WHERE lsn = ?1";
constexpr std::string_view kFold = "DELETE FROM log WHERE lsn < ?1";
constexpr std::string_view kFind =
    "SELECT id, mode, status, definition_hash, last_error, created_at, updated_at"
    " FROM main.transaction_rows WHERE gid = ?1 AND status >= 3";

// To delete more small log rows at once would be noticeable; the rest is deleted with the next
// commits.
constexpr std::size_t kLogRowsFoldedMax = 8'192;
// The format, count and checksum of a sealed batch have at most this many bytes, see codec.h.
constexpr std::size_t kHeadBytes = 12;

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const JournalConfig& config) {
  auto impl = std::make_unique<Impl>(config);
  BELAY_TRY(impl->open());
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Journal::~Journal() = default;

Result<Recovered> Journal::recover(const std::function<void(RecoveredTransaction)>& take,
                                   const std::function<void(std::uint64_t)>& progress) {
  return impl_->recover(take, progress);
}
Result<ports::StoreFigures> Journal::commit(const ports::Batch& batch) {
  return impl_->commit(batch);
}
Result<std::vector<std::optional<ports::StoredSummary>>> Journal::lookup(
    const std::vector<std::string>& gids) {
  return impl_->lookup(gids);
}
Result<ports::Store::Posted> Journal::read_posted(const ports::Store::PostedQuery& query) {
  return impl_->read_posted(query);
}
Result<bool> Journal::collect(const ports::Store::Expiry& expiry) { return impl_->collect(expiry); }
Result<> Journal::write_whole(const std::function<Result<>(Writers& writers)>& work) {
  return impl_->write_whole(work);
}
Result<> Journal::checkpoint_wal() { return impl_->checkpoint_wal(); }
Result<> Journal::move_wal_in_background(std::function<void()> on_progress) {
  return impl_->move_wal_in_background(std::move(on_progress));
}
Result<> Journal::look() { return impl_->look(); }
Result<bool> Journal::was_written() { return impl_->was_written(); }
std::uint64_t Journal::now_us() const { return impl_->now_us(); }
Result<> Journal::close() { return impl_->close(); }

Result<> Journal::Impl::open() {
  BELAY_TRY(refuse_new());  // checked before a lock file is created
  if (config_.vfs.empty()) BELAY_TRY(take_lock());
  auto opened = [this]() -> Result<> {
    BELAY_TRY(check_whole());
    BELAY_TRY(connect());
    BELAY_TRY(count_epoch());
    BELAY_TRY(prepare());
    newest_known_.lsn = last_lsn_;
    return {};
  }();
  // A file that could not be read stays as it is.
  if (!opened) database_.checkpoint_on_close(false);
  if (!opened) file_.unguard();
  if (!opened) database_.close();
  return opened;
}

Result<> Journal::Impl::take_lock() {
  auto canonical = canonical_path(config_.path);
  if (!canonical) return canonical.error();
  path_ = std::move(*canonical);
  auto clock = sqlite::Database::open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, {});
  if (!clock) return clock.error();
  auto now = clock->text(kNow);
  if (!now) return now.error();
  auto lock = LockFile::take(path_, config_.file_mode);
  if (!lock) return lock.error();
  // Looked at before the file is created.
  if (auto looked = look_first(path_, config_.vfs); !looked) return looked.error();
  auto file = HeldFile::open(path_, config_.file_mode);
  if (!file) return file.error();
  lock_ = std::move(*lock);
  file_ = std::move(*file);
  lock_.name_holder(*now);
  return {};
}

Result<> Journal::Impl::connect() {
  if (auto looked = look_first(path_, config_.vfs); !looked) return looked.error();
  auto database =
      sqlite::Database::open(path_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, config_.vfs);
  if (!database) return database.error();
  database_ = std::move(*database);
  database_.checkpoint_on_close(false);
  database_.wait_for_others(sqlite::Patience::write);
  return set_up_file();
}

Result<> Journal::Impl::set_up_file() {
  auto kind = identify(database_);
  if (!kind) return kind.error();
  BELAY_TRY(learn_facts(*kind));
  if (*kind == FileKind::fresh) BELAY_TRY(database_.run(kNewFile));
  auto mode = database_.text("PRAGMA journal_mode=WAL");
  if (!mode) return mode.error();
  if (*mode != "wal") {
    return Error{
        ErrorCode::storage,
        fmt::format("{} cannot have a write-ahead log, it stays in mode {}", path_, *mode)};
  }
  BELAY_TRY(database_.run(kSettings));
  BELAY_TRY(database_.run(config_.synchronous == Synchronous::full ? "PRAGMA synchronous=FULL"
                                                                   : "PRAGMA synchronous=NORMAL"));
  sqlite3_wal_hook(
      database_.handle(),
      [](void* frames, sqlite3*, const char*, int count) noexcept {
        *static_cast<int*>(frames) = count;
        return SQLITE_OK;
      },
      &wal_frames_);
  BELAY_TRY(guard());  // from here on others cannot remove what is not yet in the file
  BELAY_TRY(rewrite_wal());
  return migrate(database_, *kind);
}

// One commit, with one sync. The sync also makes durable what a killed engine wrote and did not
// sync, before anything acts on it. (If the sync of an earlier engine failed, `rewrite_wal` has
// written its pages again.)
Result<> Journal::Impl::count_epoch() {
  BELAY_TRY(database_.run("BEGIN IMMEDIATE"));
  BELAY_TRY(database_.run(kCountEpoch));
  if (!config_.keeps_marks) BELAY_TRY(database_.run(kForgetHosts));
  auto set = sqlite::Statement::prepare(database_.handle(),
                                        config_.keeps_marks ? kFirstStuckAfter : kSetStuckAfter);
  if (!set) return set.error();
  set->bind(1, static_cast<std::int64_t>(config_.stuck_after));
  BELAY_TRY(set->run());
  BELAY_TRY(database_.run("COMMIT"));
  auto epoch = database_.integer(kReadEpoch);
  if (!epoch) return epoch.error();
  epoch_ = static_cast<std::uint64_t>(*epoch);
  return {};
}

Result<> Journal::Impl::prepare() {
  auto statements = std::make_unique<Statements>();
  const auto set = [this](sqlite::Statement& statement, std::string_view sql) -> Result<> {
    auto prepared = sqlite::Statement::prepare(database_.handle(), sql);
    if (!prepared) return prepared.error();
    statement = std::move(*prepared);
    return {};
  };
  BELAY_TRY(set(statements->begin, "BEGIN IMMEDIATE"));
  BELAY_TRY(set(statements->epoch, kReadEpoch));
  BELAY_TRY(set(statements->commit, "COMMIT"));
  BELAY_TRY(set(statements->append, kAppend));
  BELAY_TRY(set(statements->find_log_row, kFindLogRow));
  BELAY_TRY(set(statements->fold, kFold));
  BELAY_TRY(set(statements->erase, kEraseRow));
  BELAY_TRY(set(statements->find, kFind));
  BELAY_TRY(set(statements->pages, "PRAGMA page_count"));
  BELAY_TRY(set(statements->set_meta, kSetMeta));
  BELAY_TRY(set(statements->data_version, kDataVersion));
  auto rows = RowWriter::prepare(database_.handle());
  if (!rows) return rows.error();
  statements->rows = std::move(*rows);
  auto topics = TopicWriter::prepare(database_.handle());
  if (!topics) return topics.error();
  statements->topics = std::move(*topics);
  auto holds = HoldWriter::prepare(database_.handle());
  if (!holds) return holds.error();
  statements->holds = std::move(*holds);
  auto posted = PostedTable::prepare(database_.handle());
  if (!posted) return posted.error();
  statements->posted = std::move(*posted);
  auto collector = HistoryCollector::prepare(database_.handle());
  if (!collector) return collector.error();
  auto page_bytes = database_.integer("PRAGMA page_size");
  if (!page_bytes) return page_bytes.error();
  page_bytes_ = static_cast<std::uint64_t>(*page_bytes);
  BELAY_TRY(read_log_sizes());
  statements_ = std::move(statements);
  history_collector_ = std::move(*collector);
  database_.checkpoint_on_close(true);
  return {};
}

Result<> Journal::Impl::read_log_sizes() {
  log_.clear();
  log_bytes_ = 0;
  auto sizes = sqlite::Statement::prepare(database_.handle(), kLogSizes);
  if (!sizes) return sizes.error();
  while (true) {
    auto row = sizes->step();
    if (!row) return row.error();
    if (!*row) break;
    log_.push_back({sizes->number(0), sizes->number(1)});
    log_bytes_ += log_.back().bytes;
  }
  if (!log_.empty()) last_lsn_ = std::max(last_lsn_, log_.back().lsn);
  return {};
}

Result<ports::StoreFigures> Journal::Impl::commit(const ports::Batch& batch) {
  BELAY_TRY(ensure_sound());
  const auto began = now_us();
  const auto fold_below = fold_limit(batch);
  const auto row_bytes_before = statements_->rows->bytes();
  auto written = write(batch, fold_below);
  // Otherwise the batch may be in a file that is not found again.
  if (written) written = file_.check_all();
  if (!written) {
    if (batch.lsn != 0) in_doubt_lsn_ = batch.lsn;
    return broke(written.error()).error();
  }
  committed(batch, fold_below);
  return ports::StoreFigures{.log_bytes = log_bytes_,
                             .file_bytes = file_bytes_,
                             .wal_bytes = wal_size(),
                             .row_bytes = statements_->rows->bytes() - row_bytes_before,
                             .commit_us = now_us() - began,
                             .sync_us = sync_us_};
}

// After a failed attempt the row of this batch may exist already; `prove_row` compares its bytes.
// Then only the rest is written. Parts of the rest may be on disk too; writing them twice does no
// harm.
Result<> Journal::Impl::write(const ports::Batch& batch, core::Lsn fold_below) {
  auto& statements = *statements_;
  BELAY_TRY(begin());
  if (batch.lsn > last_lsn_) {
    statements.append.bind(1, batch.lsn);
    statements.append.bind_blob(2, batch.records);
    BELAY_TRY(statements.append.run());
  } else if (batch.lsn != 0) {
    BELAY_TRY(prove_row(batch));
  }
  BELAY_TRY(write_rows(batch.rows));
  for (const auto& change : batch.topics) BELAY_TRY(statements.topics.write(change));
  for (const auto& change : batch.holds) BELAY_TRY(statements.holds.write(change));
  BELAY_TRY(statements.posted.write(batch.answers));
  BELAY_TRY(write_extras(batch));
  if (fold_below != 0) {
    statements.fold.bind(1, fold_below);
    BELAY_TRY(statements.fold.run());
  }
  {
    const sqlite::ResetAtEnd reset(statements.pages);
    auto pages = statements.pages.step();
    if (!pages) return pages.error();
    file_bytes_ = statements.pages.number(0) * page_bytes_;
  }
  return sync();
}

Result<> Journal::Impl::write_extras(const ports::Batch& batch) {
  auto& set = statements_->set_meta;
  if (batch.hosts) BELAY_TRY(write_hosts(set, *batch.hosts));
  if (batch.gaps) {
    set.bind_text(1, "gaps");
    set.bind_text(2, *batch.gaps);
    BELAY_TRY(set.run());
  }
  BELAY_TRY(write_realms(set, batch.realms));
  if (batch.checked_at == 0) return {};
  set.bind_text(1, "checked_at");
  set.bind(2, batch.checked_at);
  return set.run();
}

Result<> Journal::Impl::sync() {
  const auto began = now_us();
  BELAY_TRY(statements_->commit.run());
  sync_us_ = now_us() - began;
  return {};
}

Result<> Journal::Impl::write_rows(const std::vector<ports::RowChange>& rows) {
  auto& erase = statements_->erase;
  for (const auto& row : rows) {
    if (!row.erase) continue;
    erase.bind(1, row.id);
    BELAY_TRY(erase.run());
  }
  return statements_->rows->write(rows);
}

// The newest row always stays, so that lsns never start again. Returns 0 if there is nothing to
// fold.
core::Lsn Journal::Impl::fold_limit(const ports::Batch& batch) const {
  const auto newest = std::max(last_lsn_, batch.lsn);
  auto below = std::min(batch.fold_below, newest);
  if (log_.empty() || log_.front().lsn >= below) return 0;
  if (log_.size() > kLogRowsFoldedMax) below = std::min(below, log_[kLogRowsFoldedMax].lsn);
  return below;
}

void Journal::Impl::committed(const ports::Batch& batch, core::Lsn fold_below) {
  if (batch.lsn > last_lsn_) {
    last_lsn_ = batch.lsn;
    log_.push_back({batch.lsn, batch.records.size()});
    log_bytes_ += batch.records.size();
  }
  if (batch.lsn != 0) {
    newest_known_ = {batch.lsn, batch.records.size(), batch.records.substr(0, kHeadBytes)};
    in_doubt_lsn_ = 0;
  }
  while (!log_.empty() && log_.front().lsn < fold_below) {
    log_bytes_ -= log_.front().bytes;
    log_.pop_front();
  }
  for (const auto& row : batch.rows) {
    if (!row.erase && row.transaction->finished()) history_collector_->finished(*row.transaction);
  }
}

Result<std::vector<std::optional<ports::StoredSummary>>> Journal::Impl::lookup(
    const std::vector<std::string>& gids) {
  BELAY_TRY(ensure_sound());
  std::vector<std::optional<ports::StoredSummary>> found;
  found.reserve(gids.size());
  auto& find = statements_->find;
  for (const auto& gid : gids) {
    find.bind_text(1, gid);
    const sqlite::ResetAtEnd reset(find);
    auto row = find.step();
    if (!row) return row.error();
    auto& summary = found.emplace_back();
    if (!*row) continue;
    summary.emplace();
    summary->gid = gid;
    summary->id = find.number(0);
    summary->mode = static_cast<Mode>(find.integer(1));
    summary->status = static_cast<Status>(find.integer(2));
    summary->definition_hash = find.number(3);
    summary->reason = find.bytes(4);
    summary->created_at = find.number(5);
    summary->finished_at = find.number(6);
  }
  return found;
}

Result<ports::Store::Posted> Journal::Impl::read_posted(const ports::Store::PostedQuery& query) {
  BELAY_TRY(ensure_sound());
  return statements_->posted.read(query);
}

Result<> Journal::Impl::close() {
  if (closed_) return {};
  closed_ = true;
  mover_.reset();
  statements_.reset();
  history_collector_.reset();
  Result<> result;
  const auto seen = file_.check_all();
  if (superseded_) {
    database_.checkpoint_on_close(false);
    result = *superseded_;
  } else if (!seen && database_) {
    result = close_elsewhere(seen.error());
  } else if (broken_) {
    database_.checkpoint_on_close(false);
    result = Error{ErrorCode::storage, fmt::format("{} refused the last writes", path_)};
  } else if (database_) {
    result = database_.run("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!result) result = Error{ErrorCode::storage, result.error().detail};
  }
  file_.unguard();
  database_.close();
  file_.release();
  lock_.release();
  return result;
}

}  // namespace belay::store
