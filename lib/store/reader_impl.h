// The parts of the reader: a read-only view of one moment, with the log folded in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/forks.h"
#include "belay/reader.h"
#include "sqlite/sqlite.h"
#include "store/fold.h"
#include "store/held_file.h"
#include "store/whole.h"

namespace belay {

namespace store {

// `Reader::check`, within the caller's read transaction.
Result<CheckReport> check_file(sqlite::Database& database,
                               const std::function<void(unsigned)>& progress);
// `Reader::list`, likewise. If `fold` has newer records of a row, the result has the state of the
// log.
enum class Parts : std::uint8_t { row, all };
struct ColumnsPage {
  std::vector<Columns> rows;
  std::int64_t next_before_id = 0;
};
Result<ColumnsPage> list_page(sqlite::Database& database, Fold& fold, const Filter& filter,
                              Parts parts, std::uint32_t stuck_after);
// `Reader::export_all`, within the caller's read transaction.
Result<ExportReport> export_lines(sqlite::Database& database, Fold& fold, const Filter& filter,
                                  std::uint32_t stuck_after,
                                  const std::function<bool(std::string_view line)>& take);
// Copies the database into the empty file at `path`, outside of any transaction.
Result<> copy_into(sqlite::Database& database, const std::string& path);
// `Reader::back_up`, outside of any transaction. `from`: the path of the database.
Result<> back_up(sqlite::Database& database, const std::string& from, const std::string& name);
// Reads the columns of the rows that `where` selects; the statement works for files of every schema
// version.
Result<sqlite::Statement> prepare_columns(sqlite::Database& database, std::string_view where);

}  // namespace store

class Reader::Impl {
 public:
  static Result<std::unique_ptr<Impl>> open(std::string_view path);
  // Every function below is entered through this one: it passes the reader to `work` if the reader
  // may be used in this process.
  template <class Work>
  static auto enter(const std::unique_ptr<Impl>& impl, Work work) -> decltype(work(*impl));
  bool left_home() const { return home_.left(); }

  Result<Page> list(const Filter& filter);
  Result<WholePage> list_whole(const Filter& filter);
  Result<TransactionRow> find(std::string_view gid);
  Result<WholeTransaction> read(std::string_view gid);
  Result<std::optional<TimePoint>> oldest_unfinished();
  Result<std::vector<Topic>> topics();
  Result<std::vector<Hold>> holds();
  Result<Topic> topic(std::string_view name);
  Result<std::vector<XaRealm>> realms();
  Result<Stats> stats();
  Result<EngineState> engine_state();
  Result<> back_up(std::string_view to);
  Result<CheckReport> check(const std::function<void(unsigned percent)>& progress);
  Result<ExportReport> export_all(const Filter& filter,
                                  const std::function<bool(std::string_view line)>& take);

 private:
  static Result<> usable(const std::unique_ptr<Impl>& impl);
  // Runs `work` within one read transaction.
  template <class T, class Work>
  Result<T> at_one_moment(Work work);
  // Ends a read transaction that a lack of memory left open.
  void end_moment() noexcept;
  Result<> follow_file();
  // True if the last fold is of the log at this moment.
  Result<bool> is_folded();
  Result<> fold_log();
  Result<store::ColumnsPage> list_columns(const Filter& filter, store::Parts parts);
  Result<store::Columns> columns(std::string_view gid);
  // A reader of a copy whose name is gone.
  Result<std::unique_ptr<Impl>> copy();

  Result<> count_rows(Stats& stats);
  Result<> count_changed(Stats& stats);
  Result<> measure_files(Stats& stats);
  Result<EngineState> engine_now();  // within a moment

  // The file, its write-ahead log and its shared memory, as this connection has opened them.
  struct Files {
    std::optional<store::FileId> file;
    std::optional<store::FileId> wal;
    std::optional<store::FileId> shm;
    bool operator==(const Files&) const = default;
  };
  Files files_now() const {
    return {store::file_id(path_), store::file_id(path_ + "-wal"), store::file_id(path_ + "-shm")};
  }

  base::Home home_;
  std::string path_;
  Files files_;
  sqlite::Database database_;
  std::optional<store::Fold> fold_;   // the fold of the whole log
  std::int64_t data_version_ = -1;    // the version at the newest moment
  std::int64_t folded_version_ = -1;  // the version that `fold_` shows
  std::uint32_t stuck_after_ = 0;
};

}  // namespace belay
