// Lists transactions: goes down the ids until the page is full or enough rows were examined. The
// transactions of the log are merged with the rows; where both have a transaction, the log takes
// precedence. The same predicate is applied to both.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "store/matcher.h"
#include "store/reader_impl.h"
#include "store/schema.h"

namespace belay::store {
namespace {

constexpr std::uint32_t kExaminedMax = 10'000;
// the bytes of definitions examined or returned
constexpr std::size_t kBytesMax = 64 * 1024 * 1024;
constexpr std::int64_t kIdMax = std::numeric_limits<std::int64_t>::max();

// {}: further columns and conditions. The conditions repeat the text of the partial indexes, so
// that SQLite uses them.
constexpr std::string_view kWalk =
    "SELECT id, gid, mode, status, stuck, created_at{} FROM main.transaction_rows"
    " WHERE id < ?1{} ORDER BY id DESC";
// The index on gids contains the ids, so no row is read.
constexpr std::string_view kOfPrefix =
    "SELECT id FROM main.transaction_rows WHERE gid >= ?1{} LIMIT ?3";
constexpr std::string_view kOne =
    "SELECT id, gid, mode, status, stuck, created_at{} FROM main.transaction_rows WHERE id = ?1";

// The smallest text greater than all texts that begin with `prefix`; empty if there is none.
std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

class Listing {
 public:
  Listing(sqlite::Database& database, Fold& fold, const Filter& filter, Parts parts,
          std::int64_t now, std::uint32_t stuck_after)
      : database_(database),
        fold_(fold),
        filter_(filter),
        parts_(parts),
        stuck_after_(stuck_after),
        matcher_(filter, now),
        below_(filter.before_id > 0 ? filter.before_id : kIdMax),
        changed_(fold.changed()) {}

  Result<ColumnsPage> run() {
    const auto is_below = [this](const Folded* one) { return id_of(*one) < below_; };
    std::erase_if(changed_, [&](const Folded* one) { return !is_below(one); });
    auto columns = prepare_columns(database_, "id = ?1");
    if (!columns) return columns.error();
    columns_ = std::move(*columns);
    auto ids = ids_of_prefix();
    if (!ids) return ids.error();
    BELAY_TRY(*ids ? look_at(**ids) : walk());
    BELAY_TRY(take_changed_above(0));
    return std::move(page_);
  }

 private:
  static std::int64_t id_of(const Folded& folded) {
    return static_cast<std::int64_t>(folded.transaction.id);
  }

  bool is_full() const { return page_.next_before_id != 0; }

  // Adds the next match. One match beyond the limit shows that there is another page.
  void add(Columns columns) {
    bytes_ += columns.row.definition.size() + columns.row.result.size() + columns.branches.size() +
              columns.timeline.size() + columns.progress.size();
    if (page_.rows.size() == filter_.limit) {
      page_.next_before_id = page_.rows.back().row.id;
    } else {
      page_.rows.push_back(std::move(columns));
    }
  }

  // `id` was examined and is not the last possible one.
  bool is_enough(std::int64_t id) {
    ++examined_;
    if (is_full() || (examined_ < kExaminedMax && bytes_ < kBytesMax)) return is_full();
    page_.next_before_id = id;
    return true;
  }

  Result<> take_changed_above(std::int64_t id) {
    while (!is_full() && !changed_.empty() && id_of(*changed_.back()) > id) {
      const auto& transaction = changed_.back()->transaction;
      const auto changed_id = id_of(*changed_.back());
      changed_.pop_back();
      if (matcher_.matches(candidate_of(transaction, stuck_after_)) &&
          matcher_.names_target(transaction.definition))
        BELAY_TRY(add_changed(transaction));
      if (!is_full() && !changed_.empty()) is_enough(changed_id);
    }
    return {};
  }

  Result<> add_changed(const core::Transaction& transaction) {
    if (parts_ == Parts::row) {
      add({row_of(transaction, stuck_after_), {}, {}, {}});
      return {};
    }
    auto columns = columns_of(transaction, stuck_after_);
    if (!columns) return columns.error();
    add(std::move(*columns));
    return {};
  }

  std::string_view target_column() const {
    return matcher_.asks_for_target() ? ", definition" : "";
  }

  // The ids to examine, newest first, if the prefix leaves few enough of them.
  Result<std::optional<std::vector<std::int64_t>>> ids_of_prefix() {
    using Ids = std::optional<std::vector<std::int64_t>>;
    if (filter_.gid_prefix.empty()) return Ids();
    const auto end = after_prefix(filter_.gid_prefix);
    auto find = sqlite::Statement::prepare(
        database_.handle(),
        fmt::format(fmt::runtime(kOfPrefix), end.empty() ? "" : " AND gid < ?2"));
    if (!find) return find.error();
    find->bind_text(1, filter_.gid_prefix);
    if (!end.empty()) find->bind_text(2, end);
    find->bind(3, std::int64_t{kExaminedMax});
    Ids ids(std::in_place);
    while (true) {
      auto row = find->step();
      if (!row) return row.error();
      if (!*row) break;
      ids->push_back(find->integer(0));
    }
    if (ids->size() == kExaminedMax) return Ids();
    std::erase_if(*ids, [this](std::int64_t id) { return id >= below_; });
    std::sort(ids->begin(), ids->end(), std::greater<>());
    return ids;
  }

  Result<> look_at(const std::vector<std::int64_t>& ids) {
    auto one = sqlite::Statement::prepare(database_.handle(),
                                          fmt::format(fmt::runtime(kOne), target_column()));
    if (!one) return one.error();
    for (const auto id : ids) {
      BELAY_TRY(take_changed_above(id));
      if (is_full()) return {};
      one->bind(1, id);
      const sqlite::ResetAtEnd reset(*one);
      auto row = one->step();
      if (!row) return row.error();
      if (*row) BELAY_TRY(take(*one));
      if (is_enough(id)) return {};
    }
    return {};
  }

  Result<> walk() {
    auto rows = sqlite::Statement::prepare(
        database_.handle(),
        fmt::format(fmt::runtime(kWalk), target_column(), index_condition(filter_)));
    if (!rows) return rows.error();
    rows->bind(1, below_);
    while (true) {
      auto row = rows->step();
      if (!row) return row.error();
      if (!*row) return {};
      const auto id = rows->integer(0);
      BELAY_TRY(take_changed_above(id));
      if (is_full()) return {};
      BELAY_TRY(take(*rows));
      if (is_enough(id)) return {};
    }
  }

  Result<> take(const sqlite::Statement& row) {
    const auto id = row.integer(0);
    if (fold_.has_changed(static_cast<core::TransactionId>(id))) return {};
    if (!matcher_.matches(candidate_of(row))) return {};
    if (matcher_.asks_for_target()) {
      bytes_ += row.bytes(6).size();
      if (!matcher_.names_target(row.bytes(6))) return {};
    }
    columns_.bind(1, id);
    const sqlite::ResetAtEnd reset(columns_);
    auto read = columns_.step();
    if (!read) return read.error();
    if (!*read) return {};
    add(parts_ == Parts::all ? read_columns(columns_) : Columns{read_row(columns_), {}, {}, {}});
    return {};
  }

  sqlite::Database& database_;
  Fold& fold_;
  const Filter& filter_;
  const Parts parts_;
  const std::uint32_t stuck_after_;
  const Matcher matcher_;
  const std::int64_t below_;
  std::vector<Folded*> changed_;  // oldest first; those not yet examined
  sqlite::Statement columns_;
  ColumnsPage page_;
  std::uint32_t examined_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace

Result<ColumnsPage> list_page(sqlite::Database& database, Fold& fold, const Filter& filter,
                              Parts parts, std::uint32_t stuck_after) {
  const auto now = database.integer(kNowMillis);
  if (!now) return now.error();
  return Listing(database, fold, filter, parts, *now, stuck_after).run();
}

Result<sqlite::Statement> prepare_columns(sqlite::Database& database, std::string_view where) {
  const auto version = database.integer("PRAGMA main.user_version");
  if (!version) return version.error();
  return sqlite::Statement::prepare(
      database.handle(),
      fmt::format("SELECT {}{}{} FROM main.transaction_rows WHERE {}", kRowColumns,
                  *version < kProgressSince ? kNoNewColumns : kNewColumns, kHistoryColumns, where));
}

}  // namespace belay::store
