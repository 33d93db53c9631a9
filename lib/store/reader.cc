// A state file as readers see it: its rows. A transaction that has no row, or only a row that is
// older than the log, has the state that folding the log results in.
#include "belay/reader.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <new>
#include <utility>

#include "base/end_at_home.h"
#include "base/enter.h"
#include "base/file.h"
#include "base/gid.h"
#include "base/new_file.h"
#include "base/percent.h"
#include "base/quiet_signals.h"
#include "store/first_look.h"
#include "store/holds.h"
#include "store/lock_file.h"
#include "store/reader_impl.h"
#include "store/realms.h"
#include "store/schema.h"
#include "store/topics.h"

namespace belay {
namespace {

// The first reader after a crash rebuilds the index of the write-ahead log; other readers wait,
// at most this long.

constexpr std::string_view kOldestUnfinished =
    "SELECT created_at FROM main.transaction_rows WHERE status < 3 ORDER BY id LIMIT 1";
constexpr std::string_view kStuckAfter = "SELECT value FROM main.meta WHERE name = 'stuck_after'";

// This text fits into a string without an allocation.
Error no_memory() { return {ErrorCode::resources, "no memory left"}; }

// SQLite's message for this case does not say what is missing.
Error explain(const Error& error, const std::string& path) {
  if (error.code != ErrorCode::storage && error.code != ErrorCode::no_space) return error;
  return {
      ErrorCode::storage,
      fmt::format("cannot read {}: {}; its folder must be writable, since SQLite shares {}-shm "
                  "between readers and writers, or be on a read-only filesystem with a file "
                  "that was closed, without a -wal (else copy the file with its -wal elsewhere)",
                  path, error.detail, path)};
}

// True if the file holds everything and nobody can write it: then no readers and writers share
// anything. A folder that only this process may not write proves nothing. A read-only mount of a
// filesystem that is written elsewhere is noticed by the helper files of the engine there.
bool is_sealed(const std::string& file) {
  struct statvfs system {};
  const bool is_read_only =
      ::statvfs(file.c_str(), &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
  return is_read_only && base::file_bytes(file + "-wal") == 0 &&
         ::access((file + "-shm").c_str(), F_OK) != 0;
}

Result<sqlite::Database> open_database(const std::string& file, bool sealed) {
  // The file is opened for writing, if that is allowed: otherwise SQLite could not remove its
  // helper files afterwards. Nothing is written.
  if (!sealed) return sqlite::Database::open(file, SQLITE_OPEN_READWRITE, {});
  std::string uri = "file:";
  base::append_percent_encoded(uri, file);
  return sqlite::Database::open(uri + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, {});
}

}  // namespace

Result<std::unique_ptr<Reader::Impl>> Reader::Impl::open(std::string_view path) {
  auto canonical = store::canonical_path(path);
  if (!canonical && canonical.error().code == ErrorCode::invalid_argument) return canonical.error();
  if (canonical) {
    auto looked = store::look_first(*canonical, {});
    if (!looked) return explain(looked.error(), *canonical);
  }
  struct stat status {};
  if (::stat(std::string(path).c_str(), &status) != 0) {
    return Error{ErrorCode::not_found, fmt::format("there is no file {}", path)};
  }
  if (!canonical) return canonical.error();
  auto impl = std::make_unique<Impl>();
  impl->path_ = std::move(*canonical);
  const auto& file = impl->path_;
  // If an engine begins between the two, its files differ from these, and the file is opened again.
  impl->files_ = impl->files_now();
  const bool sealed = is_sealed(file);
  auto database = open_database(file, sealed);
  if (!database) return explain(database.error(), file);
  // The log of an engine that has crashed stays there for the next engine.
  database->checkpoint_on_close(base::file_bytes(file + "-wal") == 0);
  database->wait_for_others(sqlite::Patience::write);
  auto kind = store::identify(*database);
  if (!kind) return explain(kind.error(), file);
  if (*kind == store::FileKind::fresh) {
    return Error{ErrorCode::corrupt, fmt::format("{} is empty: no engine ever opened it", file)};
  }
  impl->database_ = std::move(*database);
  BELAY_TRY(impl->database_.run("PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;"));
  auto stuck_after = impl->database_.integer(kStuckAfter);
  if (!stuck_after) return explain(stuck_after.error(), file);
  impl->stuck_after_ = static_cast<std::uint32_t>(*stuck_after);
  // Else SQLite's helper files, which this open has made, belong to them.
  if (!sealed) impl->files_ = impl->files_now();
  return impl;
}

// If a file was removed or replaced, an engine has gone on with another file, and what this
// connection has open is out of date. No file is removed by name when the connection closes.
Result<> Reader::Impl::follow_file() {
  if (files_now() == files_) return {};
  auto again = open(path_);
  if (!again) return again.error();
  database_.checkpoint_on_close(false);
  fold_.reset();
  data_version_ = folded_version_ = -1;
  database_ = std::move((*again)->database_);
  stuck_after_ = (*again)->stuck_after_;
  files_ = (*again)->files_;
  return {};
}

template <class T, class Work>
Result<T> Reader::Impl::at_one_moment(Work work) {
  if (auto followed = follow_file(); !followed) return followed.error();
  if (auto begun = database_.run("BEGIN"); !begun) return begun.error();
  Result<T> result = work();
  auto ended = database_.run(result ? "COMMIT" : "ROLLBACK");
  if (result && !ended) return ended.error();
  return result;
}

Result<bool> Reader::Impl::is_folded() {
  // A read comes first, so that the version is the present one.
  if (auto read = database_.integer("SELECT max(lsn) FROM main.log"); !read) return read.error();
  auto version = database_.integer("PRAGMA main.data_version");
  if (!version) return version.error();
  data_version_ = *version;
  return fold_ && folded_version_ == data_version_;
}

Result<> Reader::Impl::fold_log() {
  auto folded = is_folded();
  if (!folded) return folded.error();
  if (*folded) return {};
  fold_.reset();
  auto fold = store::Fold::read(database_.handle());
  if (!fold) return fold.error();
  fold_ = std::move(*fold);
  folded_version_ = data_version_;
  return {};
}

Result<store::ColumnsPage> Reader::Impl::list_columns(const Filter& filter, store::Parts parts) {
  using Found = store::ColumnsPage;
  if (filter.limit < 1 || filter.limit > 10'000) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the limit is {}, it must be 1 to 10000", filter.limit)};
  }
  return at_one_moment<Found>([&]() -> Result<Found> {
    BELAY_TRY(fold_log());
    return store::list_page(database_, *fold_, filter, parts, stuck_after_);
  });
}

Result<Page> Reader::Impl::list(const Filter& filter) {
  auto found = list_columns(filter, store::Parts::row);
  if (!found) return found.error();
  Page page;
  for (auto& columns : found->rows) page.rows.push_back(std::move(columns.row));
  page.next_before_id = found->next_before_id;
  return page;
}

Result<WholePage> Reader::Impl::list_whole(const Filter& filter) {
  auto found = list_columns(filter, store::Parts::all);
  if (!found) return found.error();
  WholePage page;
  for (auto& columns : found->rows) {
    auto whole = store::whole_of(std::move(columns));
    if (!whole) return whole.error();
    page.transactions.push_back(std::move(*whole));
  }
  page.next_before_id = found->next_before_id;
  return page;
}

Result<store::Columns> Reader::Impl::columns(std::string_view gid) {
  auto folded = is_folded();
  if (!folded) return folded.error();
  std::optional<store::Fold> one;
  if (!*folded) {
    auto fold = store::Fold::read_one(database_.handle(), gid);
    if (!fold) return fold.error();
    one = std::move(*fold);
  }
  const auto* changed = (one ? *one : *fold_).find(gid);
  if (changed != nullptr) return store::columns_of(changed->transaction, stuck_after_);
  auto read = store::prepare_columns(database_, "gid = ?1 ORDER BY id DESC LIMIT 1");
  if (!read) return read.error();
  read->bind_text(1, gid);
  auto row = read->step();
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::not_found, fmt::format("no transaction {} is known", gid)};
  return store::read_columns(*read);
}

Result<TransactionRow> Reader::Impl::find(std::string_view gid) {
  auto found = at_one_moment<store::Columns>([&] { return columns(gid); });
  if (!found) return found.error();
  return std::move(found->row);
}

Result<WholeTransaction> Reader::Impl::read(std::string_view gid) {
  auto found = at_one_moment<store::Columns>([&] { return columns(gid); });
  if (!found) return found.error();
  return store::whole_of(std::move(*found));
}

Result<CheckReport> Reader::Impl::check(const std::function<void(unsigned percent)>& progress) {
  // This check does not use `fold_log`: a log that cannot be folded is one of the problems to
  // report.
  BELAY_TRY(follow_file());
  BELAY_TRY(database_.run("BEGIN"));
  bool threw = false;
  auto report = store::check_file(database_, [&](unsigned percent) {
    if (!progress || threw) return;
    threw = !base::enter(base::Log::none(), "the progress callback", [&] { progress(percent); });
  });
  // Nothing was written, and damage was reported above.
  static_cast<void>(database_.run("ROLLBACK").has_value());
  if (threw) return Error{ErrorCode::misuse, "the progress callback threw"};
  return report;
}

Result<std::unique_ptr<Reader::Impl>> Reader::Impl::copy() {
  // A name of its own each time: a copy that a killed process has left is in nobody's way.
  const auto name = fmt::format("{}.export-{}", path_, base::make_gid(0));
  const auto file = base::NewFile::make(name, "export");  // is removed here, as it gets no name
  if (!file) return file.error();
  BELAY_TRY(store::copy_into(database_, file->part()));
  auto copy = open(file->part());
  if (!copy) return copy;
  // The file is found as long as this transaction reads it.
  BELAY_TRY((*copy)->database_.run("BEGIN; SELECT count(*) FROM main.meta"));
  return copy;
}

Result<ExportReport> Reader::Impl::export_all(
    const Filter& filter, const std::function<bool(std::string_view line)>& take) {
  BELAY_TRY(follow_file());
  std::unique_ptr<Impl> copied;
  if (!store::lock_holder(path_).empty()) {
    auto made = copy();
    if (!made) return made.error();
    copied = std::move(*made);
  } else {
    BELAY_TRY(database_.run("BEGIN"));
  }
  auto& from = copied ? *copied : *this;
  bool threw = false;
  auto report = [&]() -> Result<ExportReport> {
    auto fold = store::Fold::read(from.database_.handle());
    if (!fold) return fold.error();
    return store::export_lines(from.database_, *fold, filter, from.stuck_after_,
                               [&](std::string_view line) {
                                 bool goes_on = false;
                                 threw = !base::enter(base::Log::none(), "the export's callback",
                                                      [&] { goes_on = take(line); });
                                 return goes_on;
                               });
  }();
  static_cast<void>(from.database_.run("ROLLBACK").has_value());  // nothing was written
  if (threw) return Error{ErrorCode::misuse, "the export's callback threw"};
  return report;
}

Result<> Reader::Impl::back_up(std::string_view to) {
  BELAY_TRY(follow_file());
  return store::back_up(database_, path_, std::string(to));
}

// A change of subscriptions is in its table in the same commit that logs it, so there is nothing to
// fold.
Result<std::vector<Topic>> Reader::Impl::topics() {
  const auto topics = at_one_moment<core::Topics>([&] { return store::read_topics(database_); });
  if (!topics) return topics.error();
  std::vector<Topic> all;
  for (const auto& [topic, state] : *topics) all.push_back(core::topic_from(topic, state));
  return all;
}

Result<std::vector<Hold>> Reader::Impl::holds() {
  return at_one_moment<std::vector<Hold>>([&] { return store::read_holds(database_); });
}

Result<std::vector<XaRealm>> Reader::Impl::realms() {
  return at_one_moment<std::vector<XaRealm>>([&] { return store::read_realms(database_); });
}

Result<Topic> Reader::Impl::topic(std::string_view name) {
  auto state = at_one_moment<std::optional<core::TopicState>>(
      [&] { return store::read_topic(database_, name); });
  if (!state) return state.error();
  if (*state) return core::topic_from(name, **state);
  return Error{ErrorCode::not_found, fmt::format("there is no topic '{}'", name)};
}

Result<std::optional<TimePoint>> Reader::Impl::oldest_unfinished() {
  using Found = std::optional<TimePoint>;
  return at_one_moment<Found>([&]() -> Result<Found> {
    auto oldest = sqlite::Statement::prepare(database_.handle(), kOldestUnfinished);
    if (!oldest) return oldest.error();
    auto row = oldest->step();
    if (!row) return row.error();
    return *row ? Found(TimePoint(Millis(oldest->integer(0)))) : Found();
  });
}

Result<Stats> Reader::Impl::stats() {
  return at_one_moment<Stats>([&]() -> Result<Stats> {
    BELAY_TRY(fold_log());
    Stats stats;
    BELAY_TRY(count_rows(stats));
    BELAY_TRY(count_changed(stats));
    BELAY_TRY(measure_files(stats));
    return stats;
  });
}

Result<EngineState> Reader::Impl::engine_state() {
  return at_one_moment<EngineState>([&] { return engine_now(); });
}

Result<> Reader::Impl::usable(const std::unique_ptr<Impl>& impl) {
  if (!impl) {
    return Error{ErrorCode::misuse,
                 "this Reader was moved from; what it read is where it moved to"};
  }
  if (!impl->home_.left()) return {};
  return Error{ErrorCode::misuse,
               fmt::format("this Reader belongs to process {}, which process {} was forked from",
                           impl->home_.process(), getpid())};
}

template <class Work>
auto Reader::Impl::enter(const std::unique_ptr<Impl>& impl, Work work) -> decltype(work(*impl)) {
  // SQLite writes to the file's shared memory, on the caller's thread.
  const base::QuietSignals quiet;
  try {
    if (auto may = usable(impl); !may) return may.error();
    return work(*impl);
  } catch (const std::bad_alloc&) {
    if (impl && !impl->home_.left()) impl->end_moment();
    return no_memory();
  }
}

void Reader::Impl::end_moment() noexcept {
  fold_.reset();
  if (database_ && sqlite3_get_autocommit(database_.handle()) == 0)
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<Reader> Reader::open(std::string_view path) {
  if (!base::watch_forks()) return Error{ErrorCode::resources, "no memory to watch for forks"};
  const base::QuietSignals quiet;
  try {
    auto impl = Impl::open(path);
    if (!impl) return impl.error();
    return Reader(std::move(*impl));
  } catch (const std::bad_alloc&) {
    return no_memory();
  }
}

Reader::Reader(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;

Reader& Reader::operator=(Reader&& other) noexcept {
  const Reader old(std::move(*this));
  impl_ = std::move(other.impl_);
  return *this;
}

Reader::~Reader() { base::end_at_home(impl_); }

Result<Page> Reader::list(const Filter& filter) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.list(filter); });
}
Result<WholePage> Reader::list_whole(const Filter& filter) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.list_whole(filter); });
}
Result<TransactionRow> Reader::find(std::string_view gid) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.find(gid); });
}
Result<WholeTransaction> Reader::read(std::string_view gid) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.read(gid); });
}
Result<std::optional<TimePoint>> Reader::oldest_unfinished() {
  return Impl::enter(impl_, [](Impl& impl) { return impl.oldest_unfinished(); });
}
Result<std::vector<Topic>> Reader::topics() {
  return Impl::enter(impl_, [](Impl& impl) { return impl.topics(); });
}
Result<Topic> Reader::topic(std::string_view name) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.topic(name); });
}
Result<std::vector<Hold>> Reader::holds() {
  return Impl::enter(impl_, [](Impl& impl) { return impl.holds(); });
}
Result<std::vector<XaRealm>> Reader::realms() {
  return Impl::enter(impl_, [](Impl& impl) { return impl.realms(); });
}
Result<Stats> Reader::stats() {
  return Impl::enter(impl_, [](Impl& impl) { return impl.stats(); });
}
Result<EngineState> Reader::engine_state() {
  return Impl::enter(impl_, [](Impl& impl) { return impl.engine_state(); });
}
Result<> Reader::back_up(std::string_view to) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.back_up(to); });
}
Result<ExportReport> Reader::export_all(const Filter& filter,
                                        const std::function<bool(std::string_view line)>& take) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.export_all(filter, take); });
}
Result<CheckReport> Reader::check(const std::function<void(unsigned percent)>& progress) {
  return Impl::enter(impl_, [&](Impl& impl) { return impl.check(progress); });
}

}  // namespace belay
