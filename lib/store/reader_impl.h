// The reader's parts: a read-only view of one moment, the log folded in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/reader.h"
#include "store/fold.h"
#include "store/row.h"
#include "store/sqlite.h"

namespace belay {

class Reader::Impl {
 public:
  static Result<std::unique_ptr<Impl>> open(std::string_view path);

  Result<Page> list(const Filter& filter);
  Result<TransactionRow> find(std::string_view gid);
  Result<std::vector<BranchRow>> branches(std::string_view gid);
  Result<std::vector<TimelineRow>> timeline(std::string_view gid);
  Result<std::vector<ProgressRow>> progress(std::string_view gid);
  Result<std::vector<Subscription>> topics();
  Result<std::vector<XaRealm>> realms();
  Result<Stats> stats();
  Result<CheckReport> check(const std::function<void(unsigned percent)>& progress);

 private:
  // Runs `work` within one read transaction, the overlay as of it.
  template <class T>
  Result<T> at_one_moment(const std::function<Result<T>()>& work);
  Result<> make_views();
  Result<> refresh();
  Result<> fill_overlay();
  Result<std::int64_t> newest_id(std::string_view gid);
  template <class Row>
  Result<std::vector<Row>> rows_of(std::string_view gid, std::string_view sql,
                                   Row (*read_one)(const store::Statement& row));

  Result<> count_rows(Stats& stats);
  Result<> subtract_covered(Stats& stats);
  Result<> measure_files(Stats& stats);

  std::string path_;
  store::Database database_;
  std::optional<store::RowWriter> overlay_;
  std::optional<store::Fold> fold_;  // as of `data_version_`
  std::int64_t data_version_ = -1;
  std::uint32_t stuck_after_ = 0;
};

namespace store {

// `Reader::check`, within the caller's read transaction.
Result<CheckReport> check_file(Database& database, const std::function<void(unsigned)>& progress);
// The statement's text and values for a filter: the ids that match, newest first.
struct ListQuery {
  std::string sql;
  std::vector<std::string> texts;  // ?1, ?2, …
};
ListQuery list_query(const Filter& filter);

}  // namespace store
}  // namespace belay
