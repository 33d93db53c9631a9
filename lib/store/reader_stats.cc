// Counts with as few reads as possible: all rows through the smallest index, the statuses with few
// rows through indexes of their own.
#include <algorithm>
#include <optional>

#include "base/file.h"
#include "store/holds.h"
#include "store/hosts.h"
#include "store/lock_file.h"
#include "store/reader_impl.h"

namespace belay {
namespace {

constexpr std::string_view kAllRows = "SELECT count(*) FROM main.transaction_rows";
constexpr std::string_view kFailedRows =
    "SELECT count(*) FROM main.transaction_rows WHERE status = 4";
constexpr std::string_view kUnfinishedRows =
    "SELECT sum(status = 0), sum(status = 1), sum(status = 2), sum(stuck)"
    " FROM main.transaction_rows WHERE status < 3";
constexpr std::string_view kUnfinishedTimes =
    "SELECT id, created_at FROM main.transaction_rows WHERE status < 3 ORDER BY id";

std::uint64_t& count_of(Stats& stats, Status status) {
  switch (status) {
    case Status::prepared: return stats.prepared;
    case Status::submitted: return stats.submitted;
    case Status::aborting: return stats.aborting;
    case Status::succeed: return stats.succeed;
    case Status::failed: break;
  }
  return stats.failed;
}

}  // namespace

Result<> Reader::Impl::count_rows(Stats& stats) {
  auto all = database_.integer(kAllRows);
  if (!all) return all.error();
  auto failed = database_.integer(kFailedRows);
  if (!failed) return failed.error();
  auto unfinished = sqlite::Statement::prepare(database_.handle(), kUnfinishedRows);
  if (!unfinished) return unfinished.error();
  if (auto row = unfinished->step(); !row) return row.error();
  stats.prepared = unfinished->number(0);
  stats.submitted = unfinished->number(1);
  stats.aborting = unfinished->number(2);
  stats.stuck = unfinished->number(3);
  stats.failed = static_cast<std::uint64_t>(*failed);
  stats.succeed = static_cast<std::uint64_t>(*all) - stats.failed - stats.prepared -
                  stats.submitted - stats.aborting;
  return {};
}

// A row for which the log has newer records counts with the state of the log.
Result<> Reader::Impl::count_changed(Stats& stats) {
  std::optional<std::uint64_t> oldest;
  for (const auto* folded : fold_->changed()) {
    const auto& transaction = folded->transaction;
    ++count_of(stats, transaction.status);
    stats.stuck += core::is_stuck(transaction, stuck_after_) ? 1 : 0;
    if (!transaction.finished())
      oldest = std::min(oldest.value_or(transaction.created_at), transaction.created_at);
    if (folded->row_lsn == 0) continue;
    --count_of(stats, folded->row_status);
    stats.stuck -= folded->row_stuck ? 1 : 0;
  }
  auto rows = sqlite::Statement::prepare(database_.handle(), kUnfinishedTimes);
  if (!rows) return rows.error();
  while (true) {
    auto row = rows->step();
    if (!row) return row.error();
    if (!*row) break;
    if (fold_->has_changed(rows->number(0))) continue;
    oldest = std::min(oldest.value_or(rows->number(1)), rows->number(1));
    break;
  }
  if (oldest) stats.oldest_unfinished_at = TimePoint(Millis(static_cast<std::int64_t>(*oldest)));
  return {};
}

Result<> Reader::Impl::measure_files(Stats& stats) {
  auto epoch = database_.integer("SELECT value FROM main.meta WHERE name = 'epoch'");
  if (!epoch) return epoch.error();
  auto free_pages = database_.integer("PRAGMA main.freelist_count");
  if (!free_pages) return free_pages.error();
  auto page_bytes = database_.integer("PRAGMA main.page_size");
  if (!page_bytes) return page_bytes.error();
  stats.epoch = static_cast<std::uint64_t>(*epoch);
  stats.free_bytes = static_cast<std::uint64_t>(*free_pages * *page_bytes);
  stats.file_bytes = base::file_bytes(path_);
  stats.wal_bytes = base::file_bytes(path_ + "-wal");
  stats.log_rows = fold_->log_rows();
  stats.log_bytes = fold_->log_bytes();
  stats.last_lsn = static_cast<std::int64_t>(fold_->last_lsn());
  auto engine = engine_now();
  if (!engine) return engine.error();
  stats.engine = std::move(*engine);
  return {};
}

Result<EngineState> Reader::Impl::engine_now() {
  auto hosts = store::read_hosts(database_);
  if (!hosts) return hosts.error();
  auto holds = store::read_holds(database_);
  if (!holds) return holds.error();
  EngineState state{store::lock_holder(path_), std::move(*hosts), std::move(*holds)};
  if (state.holder.empty()) {
    for (auto& host : state.hosts) host.in_flight = 0;  // the engine that made the calls is gone
  }
  return state;
}

}  // namespace belay
