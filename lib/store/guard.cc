// Protects the file and SQLite's files beside it against other programs: the engine notices when a
// file is removed or replaced, and saves what can be saved then.
//
// A write-ahead log that was removed still exists as long as our connection has it open. It holds
// everything that was acknowledged and is not yet in the file. So before that connection closes, it
// must move everything into the file: nothing else can. It must not do so if another program has
// written meanwhile: that program wrote into another log, and the shared index then names pages of
// that log that are not in ours.
#include <fmt/format.h>

#include <utility>

#include "base/file.h"
#include "store/journal_impl.h"

namespace belay::store {
namespace {

// Moves everything into the file. The next writer begins the log anew. This does not wait for
// readers of other programs: the commit will be tried again anyway.
Result<> move_all(sqlite::Database& database) {
  database.wait_for_others(sqlite::Patience::moment);
  int left = 0;
  const int code = sqlite3_wal_checkpoint_v2(database.handle(), "main", SQLITE_CHECKPOINT_TRUNCATE,
                                             &left, nullptr);
  database.wait_for_others(sqlite::Patience::write);
  if (code == SQLITE_OK && left == 0) return {};
  return sqlite::sqlite_error(database.handle(), code,
                              "moving a removed write-ahead log into the file");
}

}  // namespace

// Only a write transaction shows which shared memory SQLite uses.
Result<> Journal::Impl::guard() {
  auto version = database_.integer(kDataVersion);
  if (!version) return version.error();
  data_version_ = *version;
  if (!file_) return {};
  BELAY_TRY(database_.run("BEGIN IMMEDIATE"));
  auto guarded = file_.guard();
  BELAY_TRY(database_.run("ROLLBACK"));
  return guarded;
}

Result<> Journal::Impl::look() {
  if (closed_ || broken_) return {};
  auto seen = file_.check_all();
  if (!seen) broken_ = true;
  return seen;
}

// The files are checked after the version was read: if they are in place, all writes up to that
// version went into them, so they are no obstacle to a later rescue.
Result<bool> Journal::Impl::was_written() {
  if (closed_ || broken_) return false;
  if (std::exchange(may_have_missed_, false)) return true;
  auto& statement = statements_->data_version;
  std::int64_t version = 0;
  {
    const sqlite::ResetAtEnd reset(statement);
    auto row = statement.step();
    if (!row) return broke(row.error()).error();
    version = statement.integer(0);
  }
  if (version == data_version_) return false;
  BELAY_TRY(look());
  data_version_ = version;
  return true;
}

// Called before the connection is given up, as long as the connection is intact.
Result<> Journal::Impl::rescue() {
  BELAY_TRY(file_.check_path());
  const auto seen = file_.check_all();
  if (seen || !database_) return {};
  mover_.reset();
  auto version = database_.integer(kDataVersion);
  if (!version) return version.error();
  if (*version != data_version_) {
    return Error{ErrorCode::storage,
                 fmt::format("{}, and another program wrote to the file since: restart the engine, "
                             "and restore the file if `belay check` finds fault with it",
                             seen.error().detail)};
  }
  BELAY_TRY(move_all(database_));
  // A log in that place would be read back over the pages that were just written.
  if (file_.lost_wal() && base::file_bytes(path_ + "-wal") != 0) {
    return Error{ErrorCode::storage,
                 fmt::format("{}; all that it held is in the file: remove {}-wal",
                             seen.error().detail, path_)};
  }
  return {};
}

// The file is not at its path any more. The missing pages are still moved into the file, wherever
// it is now, but no file is removed by name, since the name may belong to another file now. If
// another file took the place of the state file or of its log, our log is emptied, so that it is
// never read back over that file. If the file has no name any more, its log is all that is left,
// and is kept.
Result<> Journal::Impl::close_elsewhere(Error why) {
  database_.checkpoint_on_close(false);
  if (!file_.has_name()) return why;
  auto version = database_.integer(kDataVersion);
  if (version && *version == data_version_) {
    const bool empties = file_.replaced() || file_.lost_wal();
    static_cast<void>(
        database_
            .run(empties ? "PRAGMA wal_checkpoint(TRUNCATE)" : "PRAGMA wal_checkpoint(PASSIVE)")
            .has_value());
  }
  return why;
}

}  // namespace belay::store
