// A state file as others see it. The log is folded over the rows it touches into the temporary
// table `overlay`, in the same shape and by the same writer as the rows; temporary views over both
// stand before the file's own. So there is one way to query, whatever is in a row yet and whatever
// is not.
#include "belay/reader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "store/json.h"
#include "store/lock_file.h"
#include "store/reader_impl.h"
#include "store/realms.h"
#include "store/schema.h"
#include "store/topics.h"

namespace belay {
namespace {

using store::Database;
using store::ResetAtEnd;
using store::Statement;

constexpr int kBusyMillis =
    5'000;  // the first reader after a crash rebuilds the index, the others wait

constexpr std::string_view kStuckAfter = "SELECT value FROM main.meta WHERE name = 'stuck_after'";
constexpr std::string_view kNewestId =
    "SELECT id FROM transaction_rows WHERE gid = ?1 ORDER BY id DESC LIMIT 1";
constexpr std::string_view kRow =
    "SELECT id, gid, mode, status, stuck, created_at, updated_at, due_at, attempts, last_error,"
    " trace_id, definition, result FROM transaction_rows WHERE id = ?1";
constexpr std::string_view kBranches =
    "SELECT branch_id, op, target, status, attempts, last_error, due_at FROM branches WHERE id = "
    "?1";
constexpr std::string_view kTimeline =
    "SELECT at, event, branch_id, op, outcome, detail, repeats FROM timeline WHERE id = ?1"
    " ORDER BY seq";

constexpr std::string_view kProgress =
    "SELECT json_extract(p.value, '$[0]'), json_extract(p.value, '$[1]'),"
    " json_extract(p.value, '$[2]'), json_extract(p.value, '$[3]'),"
    " json_extract(p.value, '$[3].base64'), t.created_at + json_extract(p.value, '$[4]')"
    " FROM transaction_rows t, json_each(t.progress) p WHERE t.id = ?1 ORDER BY p.key";

TimePoint time_of(std::int64_t millis) { return TimePoint(Millis(millis)); }

std::optional<TimePoint> optional_time(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return time_of(row.integer(column));
}

TransactionRow read_row(const Statement& row) {
  TransactionRow read;
  read.id = row.integer(0);
  read.gid = row.bytes(1);
  read.mode = static_cast<Mode>(row.integer(2));
  read.status = static_cast<Status>(row.integer(3));
  read.stuck = row.integer(4) != 0;
  read.created_at = time_of(row.integer(5));
  read.updated_at = time_of(row.integer(6));
  if (is_final(read.status)) read.finished_at = read.updated_at;
  read.due_at = optional_time(row, 7);
  read.attempts = static_cast<std::uint32_t>(row.integer(8));
  read.last_error = row.bytes(9);
  read.trace_id = row.bytes(10);
  read.definition = row.bytes(11);
  read.result = row.bytes(12);
  return read;
}

BranchRow read_branch(const Statement& row) {
  BranchRow read;
  read.branch_id = row.bytes(0);
  read.op = op_from(row.bytes(1)).value_or(Op::action);
  read.target = row.bytes(2);
  read.status = row.bytes(3);
  read.attempts = static_cast<std::uint32_t>(row.integer(4));
  read.last_error = row.bytes(5);
  read.due_at = optional_time(row, 6);
  return read;
}

TimelineRow read_event(const Statement& row) {
  TimelineRow read;
  read.at = time_of(row.integer(0));
  read.event = row.bytes(1);
  read.branch_id = row.bytes(2);
  read.op = row.bytes(3);
  read.outcome = row.bytes(4);
  read.detail = row.bytes(5);
  read.repeats = static_cast<std::uint32_t>(row.integer(6));
  return read;
}

ProgressRow read_progress(const Statement& row) {
  ProgressRow read;
  read.progress.branch_id = row.bytes(0);
  read.progress.op = row.bytes(1);
  read.progress.status = row.bytes(2);
  read.progress.data =
      row.is_null(4) ? std::string(row.bytes(3)) : store::json::from_base64(row.bytes(4));
  read.at = time_of(row.integer(5));
  return read;
}

std::uint64_t size_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

// SQLite's words for this do not say what is missing.
Error explain(const Error& error, const std::string& path) {
  if (error.code != ErrorCode::storage) return error;
  return {error.code,
          fmt::format("cannot read {}: {}; the file and its folder must be accessible, since "
                      "SQLite shares {}-shm"
                      " between readers and writers (else copy the file with its -wal elsewhere)",
                      path, error.detail, path)};
}

}  // namespace

Result<std::unique_ptr<Reader::Impl>> Reader::Impl::open(std::string_view path) {
  struct stat status {};
  if (::stat(std::string(path).c_str(), &status) != 0) {
    return Error{ErrorCode::not_found, fmt::format("there is no file {}", path)};
  }
  auto canonical = store::canonical_path(path);
  if (!canonical) return canonical.error();
  auto impl = std::make_unique<Impl>();
  impl->path_ = std::move(*canonical);
  const auto& file = impl->path_;
  // For writing, if that is allowed: only so can SQLite take its helper files away again. Nothing
  // is written.
  auto database = Database::open(file, SQLITE_OPEN_READWRITE, {});
  if (!database) return explain(database.error(), file);
  // What a dead engine left in its log stays there for the next engine.
  database->checkpoint_on_close(size_of(file + "-wal") == 0);
  sqlite3_busy_timeout(database->handle(), kBusyMillis);
  auto kind = store::identify(*database);
  if (!kind) return explain(kind.error(), file);
  if (*kind == store::FileKind::fresh) {
    return Error{ErrorCode::corrupt, fmt::format("{} is empty: no engine ever opened it", file)};
  }
  impl->database_ = std::move(*database);
  if (auto made = impl->make_views(); !made) return explain(made.error(), file);
  return impl;
}

Result<> Reader::Impl::make_views() {
  BELAY_TRY(database_.run("PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;"));
  auto stuck_after = database_.integer(kStuckAfter);
  if (!stuck_after) return stuck_after.error();
  stuck_after_ = static_cast<std::uint32_t>(*stuck_after);
  BELAY_TRY(store::make_overlay(database_));
  auto writer = store::RowWriter::prepare(database_.handle(), "temp.overlay");
  if (!writer) return writer.error();
  overlay_ = std::move(*writer);
  return {};
}

template <class T>
Result<T> Reader::Impl::at_one_moment(const std::function<Result<T>()>& work) {
  if (auto begun = database_.run("BEGIN"); !begun) return begun.error();
  auto result = [&]() -> Result<T> {
    BELAY_TRY(refresh());
    return work();
  }();
  auto ended = database_.run(result ? "COMMIT" : "ROLLBACK");
  if (!result) data_version_ = -1;  // the overlay went with it
  if (result && !ended) return ended.error();
  return result;
}

Result<> Reader::Impl::refresh() {
  // A read first, so that the version is the one of this moment.
  if (auto read = database_.integer("SELECT max(lsn) FROM main.log"); !read) return read.error();
  auto version = database_.integer("PRAGMA main.data_version");
  if (!version) return version.error();
  if (*version == data_version_) return {};
  BELAY_TRY(fill_overlay());
  data_version_ = *version;
  return {};
}

Result<> Reader::Impl::fill_overlay() {
  fold_.reset();
  BELAY_TRY(database_.run("DELETE FROM temp.overlay"));
  auto fold = store::Fold::read(database_.handle());
  if (!fold) return fold.error();
  for (const auto* folded : fold->changed()) {
    const auto& transaction = folded->transaction;
    const bool stuck = core::is_stuck(transaction, stuck_after_);
    BELAY_TRY(overlay_->write(transaction, {folded->last_lsn, stuck, core::next_due(transaction)}));
  }
  fold_ = std::move(*fold);
  return {};
}

Result<std::int64_t> Reader::Impl::newest_id(std::string_view gid) {
  auto find = Statement::prepare(database_.handle(), kNewestId);
  if (!find) return find.error();
  find->bind_text(1, gid);
  auto row = find->step();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::not_found, fmt::format("no transaction {} is known", gid)};
  return find->integer(0);
}

Result<Page> Reader::Impl::list(const Filter& filter) {
  if (filter.limit < 1 || filter.limit > 10'000) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the limit is {}, it must be 1 to 10000", filter.limit)};
  }
  return at_one_moment<Page>([&]() -> Result<Page> {
    const auto query = store::list_query(filter);
    auto ids = Statement::prepare(database_.handle(), query.sql);
    if (!ids) return ids.error();
    for (std::size_t i = 0; i < query.texts.size(); ++i) {
      ids->bind_text(static_cast<int>(i) + 1, query.texts[i]);
    }
    auto read = Statement::prepare(database_.handle(), kRow);
    if (!read) return read.error();
    Page page;
    while (true) {
      auto more = ids->step();
      if (!more) return more.error();
      if (!*more) break;
      if (page.rows.size() == filter.limit) {  // one more was asked for, to know of the next page
        page.next_before_id = page.rows.back().id;
        break;
      }
      read->bind(1, ids->integer(0));
      const ResetAtEnd reset(*read);
      auto row = read->step();
      if (!row) return row.error();
      if (*row) page.rows.push_back(read_row(*read));
    }
    return page;
  });
}

Result<TransactionRow> Reader::Impl::find(std::string_view gid) {
  return at_one_moment<TransactionRow>([&]() -> Result<TransactionRow> {
    auto id = newest_id(gid);
    if (!id) return id.error();
    auto read = Statement::prepare(database_.handle(), kRow);
    if (!read) return read.error();
    read->bind(1, *id);
    auto row = read->step();
    if (!row) return row.error();
    return read_row(*read);
  });
}

// All rows that `sql` finds for the newest transaction of this gid.
template <class Row>
Result<std::vector<Row>> Reader::Impl::rows_of(std::string_view gid, std::string_view sql,
                                               Row (*read_one)(const Statement&)) {
  using Rows = std::vector<Row>;
  return at_one_moment<Rows>([&]() -> Result<Rows> {
    auto id = newest_id(gid);
    if (!id) return id.error();
    auto read = Statement::prepare(database_.handle(), sql);
    if (!read) return read.error();
    read->bind(1, *id);
    Rows rows;
    while (true) {
      auto more = read->step();
      if (!more) return more.error();
      if (!*more) return rows;
      rows.push_back(read_one(*read));
    }
  });
}

Result<std::vector<BranchRow>> Reader::Impl::branches(std::string_view gid) {
  return rows_of<BranchRow>(gid, kBranches, read_branch);
}

Result<std::vector<TimelineRow>> Reader::Impl::timeline(std::string_view gid) {
  return rows_of<TimelineRow>(gid, kTimeline, read_event);
}

Result<std::vector<ProgressRow>> Reader::Impl::progress(std::string_view gid) {
  return rows_of<ProgressRow>(gid, kProgress, read_progress);
}

Result<CheckReport> Reader::Impl::check(const std::function<void(unsigned percent)>& progress) {
  // Not through the overlay: a log that cannot be folded is one of the findings.
  BELAY_TRY(database_.run("BEGIN"));
  auto report = store::check_file(database_, progress);
  static_cast<void>(database_.run("ROLLBACK").has_value());  // nothing was written; damage was told
  return report;
}

// Changes are in their table in the commit that logs them: there is nothing to fold.
Result<std::vector<Subscription>> Reader::Impl::topics() {
  const auto topics = store::read_topics(database_.handle());
  if (!topics) return topics.error();
  std::vector<Subscription> all;
  for (const auto& [topic, subscribers] : *topics) {
    for (const auto& [target, remark] : subscribers) all.push_back({topic, target, remark});
  }
  return all;
}

Result<std::vector<XaRealm>> Reader::Impl::realms() { return store::read_realms(database_); }

Result<Stats> Reader::Impl::stats() {
  return at_one_moment<Stats>([&]() -> Result<Stats> {
    Stats stats;
    BELAY_TRY(count_rows(stats));
    BELAY_TRY(subtract_covered(stats));
    BELAY_TRY(measure_files(stats));
    return stats;
  });
}

Result<Reader> Reader::open(std::string_view path) {
  auto impl = Impl::open(path);
  if (!impl) return impl.error();
  return Reader(std::move(*impl));
}

Reader::Reader(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Page> Reader::list(const Filter& filter) { return impl_->list(filter); }
Result<TransactionRow> Reader::find(std::string_view gid) { return impl_->find(gid); }
Result<std::vector<BranchRow>> Reader::branches(std::string_view gid) {
  return impl_->branches(gid);
}
Result<std::vector<TimelineRow>> Reader::timeline(std::string_view gid) {
  return impl_->timeline(gid);
}
Result<std::vector<ProgressRow>> Reader::progress(std::string_view gid) {
  return impl_->progress(gid);
}
Result<std::vector<Subscription>> Reader::topics() { return impl_->topics(); }
Result<std::vector<XaRealm>> Reader::realms() { return impl_->realms(); }
Result<Stats> Reader::stats() { return impl_->stats(); }
Result<CheckReport> Reader::check(const std::function<void(unsigned percent)>& progress) {
  return impl_->check(progress);
}

}  // namespace belay
