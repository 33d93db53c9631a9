// The log folded over the rows: what recovery, a reader and `check` have in common.
//
// A record counts only if no row covers it: rows may be newer than the log's head. A transaction
// whose first records were folded away and that left no row (its history is not kept, or was
// collected) must end in the log; otherwise the file has lost something.
//
// A gid names its newest transaction. One that ended without a row gave its gid free, and where the
// gid was used again the older is left out: rebuilt from the log it would claim the gid's row.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "belay/result.h"
#include "core/record.h"
#include "core/transaction.h"
#include "store/sqlite.h"

namespace belay::store {

struct Folded {
  core::Transaction transaction;
  core::Lsn row_lsn = 0;  // its row covers the log up to here; 0: no row
  Status row_status{};    // what that row says
  bool row_stuck = false;
  core::Lsn first_lsn = 0;  // the oldest record no row covers; 0: none
  core::Lsn last_lsn = 0;
};

class Fold {
 public:
  // Reads the log of `db` and the rows it needs, within the caller's read transaction. Errors:
  // corrupt or unsupported (naming the lsn), storage.
  static Result<Fold> read(sqlite3* db);
  // The same of one transaction only, the newest of this gid: the records of others are passed over
  // undecided, and so is what its row covers. `only` says which it was.
  static Result<Fold> read_one(sqlite3* db, std::string_view gid);

  // Those with records that no row covers, in order of id.
  std::vector<Folded*> changed();
  Folded* find(core::TransactionId id);
  // The changed one of this gid; null: none.
  Folded* find(std::string_view gid);
  // Does the log say more of it than its row?
  bool has_changed(core::TransactionId id) const;

  // Of `read_one`: its id; 0: neither a row nor the log has it.
  core::TransactionId only() const { return only_ ? only_->id : 0; }

  core::Lsn last_lsn() const { return last_lsn_; }
  core::TransactionId last_id() const { return last_id_; }
  std::uint64_t log_rows() const { return log_rows_; }
  std::uint64_t log_bytes() const { return log_bytes_; }
  std::uint64_t records() const { return records_; }
  std::uint64_t newest_at() const { return newest_at_; }  // of all records

 private:
  enum class Kind : std::uint8_t { live, covered, headless, headless_ended, replaced };
  struct Entry {
    bool only_in_log() const { return kind == Kind::live && folded.row_lsn == 0; }

    Folded folded;
    Kind kind = Kind::live;
  };

  struct Only {
    std::string_view gid;
    core::TransactionId id = 0;
    core::Lsn row_lsn = 0;
  };

  Result<> prepare(sqlite3* db);
  Result<> find_only(sqlite3* db, std::string_view gid);
  Result<> read_log(sqlite3* db);
  Result<bool> concerns(const core::Record& record);
  Result<> add_batch(core::Lsn lsn, std::string_view records);
  Result<> add(core::Lsn lsn, const core::Record& record);
  Result<Entry> first_seen(const core::Record& record);
  Result<> check_ends() const;
  Result<> leave_out_replaced(sqlite3* db);
  Result<bool> has_newer_row(Statement& find, const core::Transaction& transaction) const;

  std::optional<Only> only_;  // nothing: all
  Statement find_row_;
  std::unordered_map<core::TransactionId, Entry> entries_;
  std::unordered_map<std::string_view, Folded*> by_gid_;  // filled when first asked
  core::TransactionId row_id_max_ = 0;
  core::TransactionId last_id_ = 0;
  core::Lsn last_lsn_ = 0;
  std::uint64_t log_rows_ = 0;
  std::uint64_t log_bytes_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t newest_at_ = 0;
};

}  // namespace belay::store
