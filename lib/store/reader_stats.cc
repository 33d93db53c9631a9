// Counts that read no more than they must: all rows by the smallest index, the few kinds by their
// own.
#include <sys/stat.h>

#include "store/hosts.h"
#include "store/lock_file.h"
#include "store/reader_impl.h"

namespace belay {
namespace {

using store::Statement;

constexpr std::string_view kAllRows = "SELECT count(*) FROM main.transaction_rows";
constexpr std::string_view kFailedRows =
    "SELECT count(*) FROM main.transaction_rows WHERE status = 4";
constexpr std::string_view kUnfinishedRows =
    "SELECT sum(status = 0), sum(status = 1), sum(status = 2), sum(stuck)"
    " FROM main.transaction_rows WHERE status < 3";
constexpr std::string_view kCoveredRows =
    "SELECT status, count(*), sum(stuck) FROM main.transaction_rows"
    " WHERE id IN (SELECT id FROM temp.overlay) GROUP BY status";
constexpr std::string_view kOverlayRows =
    "SELECT status, count(*), sum(stuck) FROM temp.overlay GROUP BY status";
constexpr std::string_view kOldestUnfinished =
    "SELECT min(created_at) FROM ("
    "SELECT created_at FROM (SELECT created_at FROM main.transaction_rows"
    " WHERE status < 3 AND id NOT IN (SELECT id FROM temp.overlay) ORDER BY id LIMIT 1)"
    " UNION ALL SELECT created_at FROM temp.overlay WHERE status < 3)";

std::uint64_t* count_of(Stats& stats, Status status) {
  switch (status) {
    case Status::prepared: return &stats.prepared;
    case Status::submitted: return &stats.submitted;
    case Status::aborting: return &stats.aborting;
    case Status::succeed: return &stats.succeed;
    case Status::failed: return &stats.failed;
  }
  return nullptr;
}

enum class Sign : std::uint8_t { plus, minus };

// Adds or takes away what rows of (status, count, stuck) say.
Result<> tally(sqlite3* db, std::string_view sql, Sign sign, Stats& stats) {
  auto read = Statement::prepare(db, sql);
  if (!read) return read.error();
  while (true) {
    auto row = read->step();
    if (!row) return row.error();
    if (!*row) return {};
    auto* count = count_of(stats, static_cast<Status>(read->integer(0)));
    if (count == nullptr) continue;
    if (sign == Sign::plus) {
      *count += read->number(1);
      stats.stuck += read->number(2);
    } else {
      *count -= read->number(1);
      stats.stuck -= read->number(2);
    }
  }
}

std::uint64_t file_size(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

Result<> Reader::Impl::count_rows(Stats& stats) {
  auto all = database_.integer(kAllRows);
  if (!all) return all.error();
  auto failed = database_.integer(kFailedRows);
  if (!failed) return failed.error();
  auto unfinished = Statement::prepare(database_.handle(), kUnfinishedRows);
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

// A row that the log has outrun counts as the log says.
Result<> Reader::Impl::subtract_covered(Stats& stats) {
  BELAY_TRY(tally(database_.handle(), kOverlayRows, Sign::plus, stats));
  BELAY_TRY(tally(database_.handle(), kCoveredRows, Sign::minus, stats));
  auto oldest = Statement::prepare(database_.handle(), kOldestUnfinished);
  if (!oldest) return oldest.error();
  auto row = oldest->step();
  if (!row) return row.error();
  if (*row && !oldest->is_null(0))
    stats.oldest_unfinished_at = TimePoint(Millis(oldest->integer(0)));
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
  stats.file_bytes = file_size(path_);
  stats.wal_bytes = file_size(path_ + "-wal");
  stats.log_rows = fold_->log_rows();
  stats.log_bytes = fold_->log_bytes();
  stats.last_lsn = static_cast<std::int64_t>(fold_->last_lsn());
  stats.holder = store::lock_holder(path_);
  auto hosts = store::read_hosts(database_);
  if (!hosts) return hosts.error();
  stats.hosts = std::move(*hosts);
  if (stats.holder.empty()) {
    for (auto& host : stats.hosts) host.in_flight = 0;  // whoever called is gone
  }
  return {};
}

}  // namespace belay
