// Folds the log over the rows. Recovery, the reader and `check` all use this.
//
// A record counts only if no row covers it: rows may be newer than the oldest part of the log. If
// the first records of a transaction were folded away and the transaction has no row (its history
// is not kept, or was collected), its last record must be in the log; otherwise the file has lost
// something.
//
// A gid names its newest transaction. A transaction that ended without a row has released its gid.
// If the gid was used again, the older transaction is left out: rebuilt from the log it would claim
// the row of that gid.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "belay/result.h"
#include "core/record.h"
#include "core/transaction.h"
#include "sqlite/sqlite.h"

namespace belay::store {

struct Folded {
  core::Transaction transaction;
  // The transaction's row covers the log up to this lsn; 0: there is no row.
  core::Lsn row_lsn = 0;
  Status row_status{};  // the status in that row
  bool row_stuck = false;
  core::Lsn first_lsn = 0;  // the oldest record that no row covers; 0: none
  core::Lsn last_lsn = 0;
};

class Fold {
 public:
  // Reads the log of `db` and the rows it needs, within the caller's read transaction. Errors:
  // corrupt or unsupported (naming the lsn), storage.
  static Result<Fold> read(sqlite3* db);
  // The same for one transaction only, the newest with this gid: the records of other transactions,
  // and the records that its row covers, are skipped without decoding. `only` returns its id.
  static Result<Fold> read_one(sqlite3* db, std::string_view gid);

  // The transactions with records that no row covers, ordered by id.
  std::vector<Folded*> changed();
  Folded* find(core::TransactionId id);
  // The changed transaction with this gid; null: there is none.
  Folded* find(std::string_view gid);
  // True if the log has newer records of the transaction than its row.
  bool has_changed(core::TransactionId id) const;

  // The id of the transaction that `read_one` has read; 0: it is neither in a row nor in the log.
  core::TransactionId only() const { return only_ ? only_->id : 0; }

  core::Lsn last_lsn() const { return last_lsn_; }
  core::TransactionId last_id() const { return last_id_; }
  std::uint64_t log_rows() const { return log_rows_; }
  std::uint64_t log_bytes() const { return log_bytes_; }
  std::uint64_t records() const { return records_; }
  std::uint64_t newest_at() const { return newest_at_; }  // the time of the newest record

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
  Result<bool> has_newer_row(sqlite::Statement& find, const core::Transaction& transaction) const;

  std::optional<Only> only_;  // empty: all transactions
  sqlite::Statement find_row_;
  std::unordered_map<core::TransactionId, Entry> entries_;
  std::unordered_map<std::string_view, Folded*> by_gid_;  // filled at the first use
  core::TransactionId row_id_max_ = 0;
  core::TransactionId last_id_ = 0;
  core::Lsn last_lsn_ = 0;
  std::uint64_t log_rows_ = 0;
  std::uint64_t log_bytes_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t newest_at_ = 0;
};

}  // namespace belay::store
