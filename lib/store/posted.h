// The table of the requests that other processes post, see belay/requests.h. An answer is written
// in the same commit as the log row of its batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ports/store.h"
#include "sqlite/sqlite.h"

namespace belay::store {

// A longer body is not read: the request is refused.
inline constexpr std::size_t kPostedBodyMax = 64 * 1024 * 1024;

class PostedTable {
 public:
  static Result<PostedTable> prepare(sqlite3* db);

  // Some requests, bounded in count and bytes; `definition` is not set yet.
  Result<ports::Store::Posted> read(const ports::Store::PostedQuery& query);
  // The other functions run within the caller's commit.
  // From time to time deletes the oldest answers, so that their number is limited.
  Result<> write(const std::vector<ports::PostedAnswer>& answers);
  // Deletes some of the answers that were given before this time. True: more are left.
  Result<bool> sweep(std::uint64_t before);

 private:
  sqlite3* db_ = nullptr;
  sqlite::Statement read_all_;
  sqlite::Statement read_orders_;
  sqlite::Statement answer_;
  sqlite::Statement sweep_by_count_;
  sqlite::Statement sweep_by_age_;
  std::size_t since_sweep_ = 0;  // answers
};

// True: a request has no answer.
Result<bool> has_posted(sqlite::Database& database);

}  // namespace belay::store
