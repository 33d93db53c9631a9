// Recovers the unfinished transactions: reads the rows with their snapshots and folds the log over
// them.
#include <algorithm>
#include <utility>

#include "core/codec.h"
#include "store/fold.h"
#include "store/holds.h"
#include "store/journal_impl.h"
#include "store/topics.h"

namespace belay::store {
namespace {

constexpr std::string_view kUnfinished =
    "SELECT id, lsn, state FROM main.transaction_rows WHERE status < 3 ORDER BY id";
constexpr std::string_view kCheckedAt = "SELECT value FROM main.meta WHERE name = 'checked_at'";
constexpr std::string_view kStuckAfter = "SELECT value FROM main.meta WHERE name = 'stuck_after'";
constexpr std::string_view kGaps = "SELECT value FROM main.meta WHERE name = 'gaps'";
constexpr std::uint64_t kRecoveredPerProgress = 10'000;

// Merges two sources, both ordered by id: the rows, and the transactions that the log has changed.
class Merge {
 public:
  Merge(Fold& fold, const std::function<void(RecoveredTransaction)>& take,
        const std::function<void(std::uint64_t)>& progress)
      : changed_(fold.changed()), take_(take), progress_(progress) {}

  // True: the log has a newer state of this transaction, and that state was handed out.
  bool take_changed_up_to(core::TransactionId id) {
    bool same = false;
    while (next_ < changed_.size() && changed_[next_]->transaction.id <= id) {
      auto& folded = *changed_[next_++];
      same = folded.transaction.id == id;
      RecoveredTransaction recovered;
      recovered.first_lsn = folded.first_lsn;
      recovered.last_lsn = folded.last_lsn;
      recovered.has_row = folded.row_lsn != 0;
      recovered.transaction = std::move(folded.transaction);
      hand_out(std::move(recovered));
    }
    return same;
  }

  void hand_out(RecoveredTransaction recovered) {
    ++(recovered.transaction.finished() ? finished_ : unfinished_);
    take_(std::move(recovered));
    if (++count_ % kRecoveredPerProgress == 0 && progress_) progress_(count_);
  }

  std::uint64_t count() const { return count_; }
  std::uint64_t unfinished() const { return unfinished_; }
  // Transactions that are finished in the log, but have no row with that state.
  std::uint64_t finished() const { return finished_; }

 private:
  std::vector<Folded*> changed_;
  std::size_t next_ = 0;
  const std::function<void(RecoveredTransaction)>& take_;
  const std::function<void(std::uint64_t)>& progress_;
  std::uint64_t count_ = 0;
  std::uint64_t unfinished_ = 0;
  std::uint64_t finished_ = 0;
};

}  // namespace

Result<Recovered> Journal::Impl::recover(const std::function<void(RecoveredTransaction)>& take,
                                         const std::function<void(std::uint64_t)>& progress) {
  auto fold = Fold::read(database_.handle());
  if (!fold) return fold.error();
  last_lsn_ = std::max(last_lsn_, fold->last_lsn());
  Merge merge(*fold, take, progress);
  auto rows = sqlite::Statement::prepare(database_.handle(), kUnfinished);
  if (!rows) return rows.error();
  core::Lsn row_lsn_max = 0;
  std::uint64_t rows_read = 0;
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) break;
    ++rows_read;
    const auto id = rows->number(0);
    row_lsn_max = std::max(row_lsn_max, rows->number(1));
    if (merge.take_changed_up_to(id)) continue;
    auto transaction = core::decode_snapshot(rows->bytes(2));
    if (!transaction) {
      return Error{transaction.error().code, "the row of transaction " + std::to_string(id) + ": " +
                                                 transaction.error().detail};
    }
    RecoveredTransaction recovered;
    recovered.transaction = std::move(*transaction);
    recovered.last_lsn = rows->number(1);
    recovered.has_row = true;
    merge.hand_out(std::move(recovered));
  }
  merge.take_changed_up_to(fold->last_id());
  last_lsn_ = std::max(last_lsn_, row_lsn_max);
  facts_.unfinished = merge.unfinished();
  BELAY_TRY(count_kept(rows_read));
  facts_.kept += merge.finished();

  Recovered recovered;
  recovered.last_lsn = last_lsn_;
  recovered.last_id = fold->last_id();
  recovered.epoch = epoch_;
  recovered.log_bytes = log_bytes_;
  recovered.transactions = merge.count();
  auto checked_at = database_.integer(kCheckedAt);
  if (!checked_at) return checked_at.error();
  recovered.seen_until = std::max(
      fold->newest_at(), static_cast<std::uint64_t>(std::max<std::int64_t>(*checked_at, 0)));
  auto stuck_after = database_.integer(kStuckAfter);
  if (!stuck_after) return stuck_after.error();
  recovered.stuck_after = static_cast<std::uint32_t>(*stuck_after);
  auto gaps = database_.text(kGaps);
  if (!gaps) return gaps.error();
  recovered.gaps = std::move(*gaps);
  auto topics = read_topics(database_);
  if (!topics) return topics.error();
  recovered.topics = std::move(*topics);
  auto holds = read_holds(database_);
  if (!holds) return holds.error();
  recovered.holds = std::move(*holds);
  auto posted = has_posted(database_);
  if (!posted) return posted.error();
  recovered.has_posted = *posted;
  auto pages = database_.integer("PRAGMA page_count");
  if (!pages) return pages.error();
  recovered.file_bytes = static_cast<std::uint64_t>(*pages) * page_bytes_;
  recovered.wal_bytes = wal_size();
  recovered.file = facts_;
  return recovered;
}

}  // namespace belay::store
