#include "store/history_collector.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "store/row.h"

namespace belay::store {
namespace {

// Deleting a row takes some 3 µs, and a commit may have to wait for the whole step.
constexpr std::size_t kRowsPerStep = 1'000;
// Free pages that are kept for the growth and folding of the log: 2 MB, or a fraction of a large
// file.
constexpr std::int64_t kFreePagesKept = 256;
constexpr std::int64_t kFreePagesKeptShare = 32;

constexpr std::string_view kScanAll =
    "SELECT id, status, created_at, updated_at FROM main.transaction_rows WHERE id > ?1 ORDER BY "
    "id "
    "LIMIT ?2";
constexpr std::string_view kScanFailed =
    "SELECT id, status, created_at, updated_at FROM main.transaction_rows"
    " WHERE id > ?1 AND status = 4 ORDER BY id LIMIT ?2";
constexpr const char* kReleaseSome = "PRAGMA incremental_vacuum(128)";

template <class Late>
bool expires_later(const Late& a, const Late& b) {
  return a.finished_at > b.finished_at;
}

}  // namespace

Result<std::unique_ptr<HistoryCollector>> HistoryCollector::prepare(sqlite3* db,
                                                                    std::size_t late_max) {
  auto collector = std::make_unique<HistoryCollector>();
  collector->late_max_ = late_max;
  const auto set = [db](sqlite::Statement& statement, std::string_view sql) -> Result<> {
    auto prepared = sqlite::Statement::prepare(db, sql);
    if (!prepared) return prepared.error();
    statement = std::move(*prepared);
    return {};
  };
  BELAY_TRY(set(collector->erase_, kEraseRow));
  BELAY_TRY(set(collector->succeed_.scan, kScanAll));
  BELAY_TRY(set(collector->failed_.scan, kScanFailed));
  return collector;
}

void HistoryCollector::remember(Outcome& outcome, const Late& late) const {
  if (late.finished_at >= outcome.complete_before) return;
  if (outcome.late.size() >= late_max_) forget_newest(outcome);
  if (late.finished_at >= outcome.complete_before) return;
  outcome.late.push_back(late);
  std::push_heap(outcome.late.begin(), outcome.late.end(), expires_later<Late>);
}

// Forgets the half that expires last. So this is rarely done, and when the cursor starts again
// there is much to delete.
void HistoryCollector::forget_newest(Outcome& outcome) {
  auto& late = outcome.late;
  const auto middle = late.begin() + static_cast<std::ptrdiff_t>(late.size() / 2);
  std::nth_element(late.begin(), middle, late.end(),
                   [](const Late& a, const Late& b) { return a.finished_at < b.finished_at; });
  outcome.complete_before = middle->finished_at;
  late.erase(middle, late.end());
  std::make_heap(late.begin(), late.end(), expires_later<Late>);
}

void HistoryCollector::start_again(Outcome& outcome) {
  outcome.cursor = 0;
  outcome.late.clear();
  outcome.complete_before = std::numeric_limits<std::uint64_t>::max();
}

void HistoryCollector::finished(const core::Transaction& transaction) {
  auto& outcome = transaction.status == Status::failed ? failed_ : succeed_;
  if (transaction.id <= outcome.cursor) remember(outcome, {transaction.id, transaction.updated_at});
}

Result<bool> HistoryCollector::step(const ports::Store::Expiry& expiry) {
  is_thorough_ = expiry.is_thorough;
  auto more = step(succeed_, Status::succeed, expiry.succeed_before);
  if (!more || *more) return more;
  return step(failed_, Status::failed, expiry.failed_before);
}

Result<bool> HistoryCollector::step(Outcome& outcome, Status status, std::uint64_t before) {
  if (before == 0) return false;
  auto deleted = delete_late(outcome, before);
  if (!deleted) return deleted.error();
  if (*deleted >= kRowsPerStep) return true;
  if (outcome.complete_before < before) start_again(outcome);
  return scan(outcome, status, before, kRowsPerStep - *deleted);
}

Result<std::size_t> HistoryCollector::delete_late(Outcome& outcome, std::uint64_t before) {
  std::size_t deleted = 0;
  auto& late = outcome.late;
  while (!late.empty() && deleted < kRowsPerStep && late.front().finished_at < before) {
    BELAY_TRY(erase(late.front().id));
    std::pop_heap(late.begin(), late.end(), expires_later<Late>);
    late.pop_back();
    ++deleted;
  }
  return deleted;
}

Result<bool> HistoryCollector::scan(Outcome& outcome, Status status, std::uint64_t before,
                                    std::size_t room) {
  std::vector<core::TransactionId> expired;
  std::size_t seen = 0;
  bool reached_recent = false;
  auto cursor = outcome.cursor;
  {
    outcome.scan.bind(1, outcome.cursor);
    outcome.scan.bind(2, static_cast<std::int64_t>(room));
    const sqlite::ResetAtEnd reset(outcome.scan);
    while (!reached_recent) {
      auto row = outcome.scan.step();
      if (!row) return row.error();
      if (!*row) break;
      ++seen;
      // This row is younger than the limit, and so are all rows after it, except for imported ones.
      reached_recent = !is_thorough_ && outcome.scan.number(2) >= before;
      if (reached_recent) break;
      cursor = outcome.scan.number(0);
      if (static_cast<Status>(outcome.scan.integer(1)) != status) continue;
      if (const auto finished_at = outcome.scan.number(3); finished_at < before) {
        expired.push_back(cursor);
      } else {
        remember(outcome, {cursor, finished_at});
      }
    }
  }
  for (const auto id : expired) BELAY_TRY(erase(id));
  outcome.cursor = cursor;
  return seen == room && !reached_recent;
}

Result<> HistoryCollector::erase(core::TransactionId id) {
  erase_.bind(1, id);
  return erase_.run();
}

Result<bool> release_free_pages(sqlite::Database& database) {
  auto free_pages = database.integer("PRAGMA freelist_count");
  if (!free_pages) return free_pages.error();
  auto pages = database.integer("PRAGMA page_count");
  if (!pages) return pages.error();
  const auto kept = kFreePagesKept + *pages / kFreePagesKeptShare;
  if (*free_pages <= kept) return false;
  BELAY_TRY(database.run(kReleaseSome));
  auto left = database.integer("PRAGMA freelist_count");
  if (!left) return left.error();
  // If the number of free pages does not shrink, the step is not repeated.
  return *left > kept && *left < *free_pages;
}

}  // namespace belay::store
