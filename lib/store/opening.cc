// The checks of a file before anything in it changes, and the facts about it that the host is told.
#include <fmt/format.h>

#include "store/first_look.h"
#include "store/journal_impl.h"
#include "store/reader_impl.h"

namespace belay::store {
namespace {

constexpr int kIncremental = 2;

Error no_new_file(const std::string& path) {
  return {ErrorCode::not_found,
          fmt::format("there is no state file {}, and a new one is not wanted", path)};
}

}  // namespace

Result<> Journal::Impl::refuse_new() const {
  if (!config_.must_exist) return {};
  auto canonical = config_.vfs.empty() ? canonical_path(path_) : path_;
  if (!canonical && canonical.error().code == ErrorCode::invalid_argument) return canonical.error();
  if (!canonical) return no_new_file(path_);
  auto exists = look_first(*canonical, config_.vfs);
  if (!exists) return exists.error();
  return *exists ? Result<>() : no_new_file(path_);
}

// Uses a connection of its own, which leaves the file unchanged.
Result<> Journal::Impl::check_whole() const {
  if (!config_.check_progress) return {};
  auto exists = look_first(path_, config_.vfs);
  if (!exists) return exists.error();
  if (!*exists) return {};
  auto database = sqlite::Database::open(path_, SQLITE_OPEN_READWRITE, config_.vfs);
  if (!database) return database.error();
  database->checkpoint_on_close(false);
  database->wait_for_others(sqlite::Patience::write);
  auto kind = identify(*database);
  if (!kind) return kind.error();
  if (*kind == FileKind::fresh) return {};
  BELAY_TRY(database->run("BEGIN"));
  auto report = check_file(*database, config_.check_progress);
  if (!report) return report.error();
  auto& problems = report->problems;
  if (problems.empty()) return {};
  problems.front().pop_back();  // removes the full stop
  const auto others = problems.size() == 1
                          ? std::string()
                          : fmt::format(" (and {} more problems)", problems.size() - 1);
  return Error{ErrorCode::corrupt,
               fmt::format("{} is damaged: {}{}", path_, problems.front(), others)};
}

Result<> Journal::Impl::learn_facts(FileKind kind) {
  if (kind == FileKind::fresh && config_.must_exist) return no_new_file(path_);
  if (!facts_.path.empty()) return {};  // at a repair: the facts are known already
  facts_.path = path_;
  facts_.is_new = kind == FileKind::fresh;
  facts_.mode = file_.mode();
  facts_.schema = kSchemaVersion;
  if (facts_.is_new) return {};
  auto version = database_.integer("PRAGMA user_version");
  if (!version) return version.error();
  facts_.schema_before = *version;
  auto vacuum = database_.integer("PRAGMA auto_vacuum");
  if (!vacuum) return vacuum.error();
  facts_.returns_pages = *vacuum == kIncremental;
  return {};
}

// Reads only as much of an index as the words "more than" need; millions of rows are not counted.
Result<> Journal::Impl::count_kept(std::uint64_t unfinished_rows) {
  auto count = sqlite::Statement::prepare(
      database_.handle(), "SELECT count(*) FROM (SELECT 1 FROM main.transaction_rows LIMIT ?1)");
  if (!count) return count.error();
  count->bind(1, unfinished_rows + kKeptCounted + 1);
  auto row = count->step();
  if (!row) return row.error();
  facts_.kept = count->number(0) - unfinished_rows;
  return {};
}

}  // namespace belay::store
