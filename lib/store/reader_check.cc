// Checks that the file is sound. Every problem is a sentence that names the lsn or the gid; the
// check goes on after each problem.
#include <fmt/format.h>

#include <algorithm>

#include "core/codec.h"
#include "core/consistent.h"
#include "store/reader_impl.h"
#include "store/schema.h"

namespace belay::store {
namespace {

constexpr std::size_t kProblemsMax = 100;
constexpr unsigned kIntegrityPercent = 30;
constexpr unsigned kLogPercent = 40;
constexpr std::uint64_t kCheckedPerProgress = 4'096;

constexpr std::string_view kIntegrity = "PRAGMA main.integrity_check(100)";
constexpr std::string_view kLog = "SELECT lsn, records FROM main.log ORDER BY lsn";
// {}: empty for a file without workflows, which does not have that column.
constexpr std::string_view kRows =
    "SELECT id, gid, status, state, json_valid(definition) AND json_valid(branches) AND"
    " json_valid(timeline){}, lsn FROM main.transaction_rows ORDER BY id";
constexpr std::string_view kAndProgress = " AND json_valid(coalesce(progress, '[]'))";

class Check {
 public:
  Check(sqlite::Database& database, const std::function<void(unsigned)>& progress)
      : database_(database), progress_(progress) {}

  Result<CheckReport> run() {
    show(0);
    BELAY_TRY(integrity());
    show(kIntegrityPercent);
    BELAY_TRY(log());
    show(kLogPercent);
    // The rows are compared with the folded log. A log that cannot be folded was reported above or
    // is reported now.
    auto fold = Fold::read(database_.handle());
    if (fold) {
      fold_ = &*fold;
    } else if (fold.error().code == ErrorCode::storage) {
      return fold.error();
    } else if (!log_damaged_) {
      problem("The log cannot be folded: {}.", fold.error().detail);
    }
    BELAY_TRY(rows());
    if (fold_ != nullptr) only_in_log();
    show(100);
    return std::move(report_);
  }

 private:
  template <class... Args>
  void problem(fmt::format_string<Args...> format, Args&&... args) {
    if (report_.problems.size() < kProblemsMax) {
      report_.problems.push_back(fmt::format(format, std::forward<Args>(args)...));
    }
  }

  void show(unsigned percent) const {
    if (progress_) progress_(percent);
  }

  Result<> integrity() {
    auto check = sqlite::Statement::prepare(database_.handle(), kIntegrity);
    if (!check) return check.error();
    while (true) {
      auto row = check->step();
      if (!row) return damaged("SQLite's own check stopped", row.error());
      if (!*row) return {};
      if (check->bytes(0) != "ok") problem("SQLite reports: {}.", check->bytes(0));
    }
  }

  // A damaged page ends one part of the check, not the whole check.
  Result<> damaged(std::string_view what, const Error& error) {
    if (error.code != ErrorCode::corrupt) return error;
    problem("{}: {}.", what, error.detail);
    return {};
  }

  Result<> log() {
    auto read = sqlite::Statement::prepare(database_.handle(), kLog);
    if (!read) return read.error();
    while (true) {
      auto row = read->step();
      if (!row) {
        log_damaged_ = true;
        return damaged("The log cannot be read to its end", row.error());
      }
      if (!*row) return {};
      if (auto sound = batch(read->bytes(1)); !sound) {
        log_damaged_ = true;
        problem("Log row {}: {}.", read->number(0), sound.error().detail);
      }
    }
  }

  Result<> batch(std::string_view bytes) {
    auto reader = core::BatchReader::open(bytes);
    if (!reader) return reader.error();
    while (true) {
      auto record = reader->next();
      if (!record) return record.error();
      if (!*record) return {};
      ++report_.records_checked;
    }
  }

  Result<> rows() {
    auto total = database_.integer("SELECT count(*) FROM main.transaction_rows");
    if (!total) return damaged("The rows cannot be counted", total.error());
    auto version = database_.integer("PRAGMA main.user_version");
    if (!version) return version.error();
    auto read = sqlite::Statement::prepare(
        database_.handle(),
        fmt::format(fmt::runtime(kRows), *version < kProgressSince ? "" : kAndProgress));
    if (!read) return read.error();
    while (true) {
      auto more = read->step();
      if (!more) return damaged("The rows cannot be read to their end", more.error());
      if (!*more) return {};
      row(*read);
      if (++report_.rows_checked % kCheckedPerProgress == 0) {
        const auto part =
            report_.rows_checked * (100 - kLogPercent) / static_cast<std::uint64_t>(*total);
        show(std::min(kLogPercent + static_cast<unsigned>(part), 99u));
      }
    }
  }

  void row(const sqlite::Statement& row) {
    const auto gid = row.bytes(1);
    const bool finished = is_final(static_cast<Status>(row.integer(2)));
    if (row.integer(4) == 0) problem("Transaction {}: a JSON column is not valid JSON.", gid);
    if (fold_ != nullptr && fold_->last_lsn() < row.number(5)) {
      problem("Transaction {}: its row is as of lsn {}, the log ends at {}.", gid, row.number(5),
              fold_->last_lsn());
    }
    if (finished) {
      if (!row.is_null(3)) problem("Transaction {}: it is finished and still has a state.", gid);
      return;
    }
    auto transaction = core::decode_snapshot(row.bytes(3));
    if (!transaction) return problem("Transaction {}: {}.", gid, transaction.error().detail);
    if (transaction->id != row.number(0) || transaction->gid() != gid ||
        transaction->status != static_cast<Status>(row.integer(2))) {
      problem("Transaction {}: its state is another transaction's or says another status.", gid);
    }
    // If the log has newer records of the transaction, its state after folding is checked instead.
    const auto* folded = fold_ == nullptr ? nullptr : fold_->find(transaction->id);
    if (folded == nullptr || folded->first_lsn == 0) wakes(*transaction);
  }

  void only_in_log() {
    for (const auto* folded : fold_->changed()) {
      if (folded->row_lsn == 0) ++report_.rows_checked;
      wakes(folded->transaction);
    }
  }

  void wakes(const core::Transaction& transaction) {
    if (!core::will_wake(transaction))
      problem("Transaction {}: nothing will ever wake it.", transaction.gid());
  }

  sqlite::Database& database_;
  const std::function<void(unsigned)>& progress_;
  CheckReport report_;
  Fold* fold_ = nullptr;
  bool log_damaged_ = false;
};

}  // namespace

Result<CheckReport> check_file(sqlite::Database& database,
                               const std::function<void(unsigned)>& progress) {
  return Check(database, progress).run();
}

}  // namespace belay::store
