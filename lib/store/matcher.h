// Whether a row, or a transaction in the log, is one that a filter lets through.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "belay/reader.h"
#include "core/transaction.h"
#include "sqlite/sqlite.h"

namespace belay::store {

// The present time in ms since the epoch.
inline constexpr std::string_view kNowMillis =
    "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

// The properties that a filter compares. The first columns of a statement for `candidate_of` are
// id, gid, mode, status, stuck and created_at.
struct Candidate {
  std::string_view gid;
  Mode mode{};
  Status status{};
  bool stuck = false;
  std::int64_t created_at = 0;
};

Candidate candidate_of(const sqlite::Statement& row);
Candidate candidate_of(const core::Transaction& transaction, std::uint32_t stuck_after);

class Matcher {
 public:
  // `now` in ms since the epoch. The filter must live as long.
  Matcher(const Filter& filter, std::int64_t now);

  // Compares everything except the target.
  bool matches(const Candidate& one) const;
  bool names_target(const core::Definition& definition) const;
  // The same for a row's column; a definition that cannot be read names nothing.
  bool names_target(std::string_view definition) const;
  bool asks_for_target() const { return !filter_.target.empty(); }

 private:
  const Filter& filter_;
  std::int64_t created_max_ = std::numeric_limits<std::int64_t>::max();
  std::int64_t created_min_ = std::numeric_limits<std::int64_t>::min();
};

// The condition of the partial index that serves the filter; empty if there is none.
std::string_view index_condition(const Filter& filter);

}  // namespace belay::store
