// The work of the journal besides commits: repair after a failure, the size of the write-ahead log,
// retention.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "store/journal_impl.h"
#include "store/schema.h"

namespace belay::store {
namespace {

// Beyond this size a commit waits for the mover, so that the writer is no faster than the disk.
constexpr std::uint64_t kWalBytesMax = 64 * 1024 * 1024;
// The amount that may be moved between two commits: it takes some ms.
constexpr std::uint64_t kRemainderBytes = 1024 * 1024;

}  // namespace

Result<> Journal::Impl::broke(Error error) {
  if (database_ && !sqlite3_get_autocommit(database_.handle())) {
    static_cast<void>(database_.run("ROLLBACK").has_value());  // the connection is given up anyway
  }
  broken_ = true;
  if (error.code == ErrorCode::superseded) {
    superseded_ = error;
  } else {
    error.code = ErrorCode::storage;
  }
  return error;
}

Result<> Journal::Impl::ensure_sound() {
  if (closed_) return Error{ErrorCode::closed, fmt::format("{} is closed", path_)};
  if (superseded_) return *superseded_;
  if (!broken_) return {};
  if (auto repaired = repair(); !repaired) return broke(repaired.error());
  broken_ = false;
  may_have_missed_ = true;
  if (!on_wal_progress_) return {};
  auto moving = move_wal_in_background(on_wal_progress_);
  return moving ? moving : Error{ErrorCode::storage, moving.error().detail};
}

// A failed sync does not show what is on disk, and a second sync may succeed without having written
// anything. So all connections are closed, the content of the file is read again, written again and
// synced; only then is it trusted.
Result<> Journal::Impl::repair() {
  BELAY_TRY(rescue());
  mover_.reset();
  statements_.reset();
  history_collector_.reset();
  if (database_) database_.checkpoint_on_close(false);
  file_.unguard();
  database_.close();
  wal_frames_ = moved_frames_ = remainder_before_ = 0;
  next_move_ = 0;
  last_lsn_ = 0;
  BELAY_TRY(connect());
  auto epoch = database_.integer(kReadEpoch);
  if (!epoch) return epoch.error();
  BELAY_TRY(prove_epoch(static_cast<std::uint64_t>(*epoch)));
  database_.wait_for_others(sqlite::Patience::moment);  // a repair does not wait for readers
  if (auto moved = database_.run("PRAGMA wal_checkpoint(TRUNCATE)"); !moved) return moved;
  database_.wait_for_others(sqlite::Patience::write);
  BELAY_TRY(prepare());
  return prove_log();
}

// Writes the same bytes to the same places: pages that the system takes for clean, although they
// were never written, become dirty again. This happens at every open, since the failed sync may
// have been that of another process. If such a page exists only in the cache, a power cut loses it
// and everything that was appended behind it.
Result<> Journal::Impl::rewrite_wal() {
  BELAY_TRY(database_.run("BEGIN IMMEDIATE"));
  auto* file = database_.wal_file();
  sqlite3_int64 size = 0;
  int code = file == nullptr ? SQLITE_OK : file->pMethods->xFileSize(file, &size);
  std::array<char, 64 * 1024> buffer;
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size;) {
    const auto part = static_cast<int>(std::min<sqlite3_int64>(size - at, buffer.size()));
    code = file->pMethods->xRead(file, buffer.data(), part, at);
    if (code == SQLITE_OK) code = file->pMethods->xWrite(file, buffer.data(), part, at);
    at += part;
  }
  if (code == SQLITE_OK && size > 0) code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
  Result<> written;
  if (code != SQLITE_OK)
    written = sqlite::sqlite_error(nullptr, code, "making the write-ahead log durable");
  BELAY_TRY(database_.run("ROLLBACK"));
  return written;
}

Result<> Journal::Impl::move_wal_in_background(std::function<void()> on_progress) {
  on_wal_progress_ = std::move(on_progress);
  auto mover = WalMover::open(path_, config_.vfs, file_, on_wal_progress_);
  if (!mover) return mover.error();
  mover_ = std::move(*mover);
  return {};
}

Result<> Journal::Impl::checkpoint_wal() {
  if (broken_ || closed_) return {};
  auto done = mover_ ? checkpoint_with_mover() : Result<>();
  if (!mover_ && wal_size() >= std::max<std::uint64_t>(config_.wal_bytes, next_move_)) {
    done = checkpoint_here();
  }
  return done ? done : broke(done.error());
}

// Moves everything that is left while nobody writes: afterwards the next commit restarts the
// write-ahead log, unless a reader still needs it.
Result<> Journal::Impl::checkpoint_here() {
  const auto moved = database_.move_wal();
  if (!moved) return moved.error();
  next_move_ = moved->all ? 0 : wal_size() + config_.wal_bytes;
  if (moved->all) wal_frames_ = 0;
  moved_frames_ = remainder_before_ = 0;
  return {};
}

Result<> Journal::Impl::checkpoint_with_mover() {
  const bool too_much = wal_size() >= std::max(kWalBytesMax, next_move_);
  if (mover_->busy()) {
    if (!too_much) return {};
    mover_->wait();
  }
  if (auto pass = mover_->take_result()) {
    if (!*pass) return pass->error();
    moved_frames_ = **pass;
  }
  if (wal_size() < std::max<std::uint64_t>(config_.wal_bytes, next_move_)) return {};
  const int remainder = wal_frames_ - moved_frames_;
  const bool small = static_cast<std::uint64_t>(remainder) * page_bytes_ <= kRemainderBytes;
  const bool no_progress = remainder_before_ != 0 && remainder >= remainder_before_;
  if (moved_frames_ != 0 && (small || no_progress || too_much)) return checkpoint_here();
  if (moved_frames_ != 0) remainder_before_ = remainder;
  mover_->begin_pass();
  return {};
}

Result<bool> Journal::Impl::collect(const ports::Store::Expiry& expiry) {
  BELAY_TRY(ensure_sound());
  auto collected = [&]() -> Result<bool> {
    BELAY_TRY(begin());
    auto more = history_collector_->step(expiry);
    if (!more) return more;
    auto more_answers = statements_->posted.sweep(expiry.answered_before);
    if (!more_answers) return more_answers;
    more = *more || *more_answers;
    if (more && !*more && facts_.returns_pages) more = release_free_pages(database_);
    if (!more) return more;
    BELAY_TRY(statements_->commit.run());
    return more;
  }();
  if (!collected) return broke(collected.error()).error();
  return collected;
}

Result<> Journal::Impl::write_whole(const std::function<Result<>(Writers& writers)>& work) {
  BELAY_TRY(ensure_sound());
  if (auto begun = begin(); !begun) return broke(begun.error());
  Writers writers{database_, *statements_->rows, statements_->topics, statements_->set_meta};
  auto done = work(writers);
  const bool is_refusal =
      !done && done.error().code != ErrorCode::storage && done.error().code != ErrorCode::no_space;
  if (is_refusal) {
    if (auto undone = database_.run("ROLLBACK"); !undone) return broke(undone.error());
    return done;
  }
  auto written = done ? sync() : done;
  if (written) written = file_.check_all();
  if (written) return {};
  static_cast<void>(broke(written.error()).has_value());  // the code stays no_space
  return written;
}

}  // namespace belay::store
