// A transaction for those who read: out of the columns of its row, or of what the log says of it,
// which is written as such columns first. So there is one reading, whatever is in a row yet and
// whatever is not; the views `branches` and `timeline` say the same to plain SQL.
#pragma once

#include <cstdint>
#include <string>

#include "belay/reader.h"
#include "core/transaction.h"
#include "store/sqlite.h"

namespace belay::store {

struct Columns {
  TransactionRow row;
  std::string branches;  // JSON, as this and the next two are in the file
  std::string timeline;
  std::string progress;  // empty: none
};

// What `read_columns` and `read_row` expect of a statement's first columns, of any table with the
// newest shape; an older one's lacks kNewColumns.
inline constexpr std::string_view kRowColumns =
    "id, gid, mode, status, stuck, created_at, updated_at, due_at, attempts, last_error,"
    " trace_id, definition, ";
inline constexpr std::string_view kNewColumns = "result, progress";
inline constexpr std::string_view kNoNewColumns = "NULL, NULL";
inline constexpr std::string_view kHistoryColumns = ", branches, timeline";

TransactionRow read_row(const Statement& row);
Columns read_columns(const Statement& row);
TransactionRow row_of(const core::Transaction& transaction, std::uint32_t stuck_after);
// Error: corrupt (its timeline).
Result<Columns> columns_of(const core::Transaction& transaction, std::uint32_t stuck_after);

// Does a row's definition name this target in some branch? What cannot be read names none.
bool column_names_target(std::string_view definition, std::string_view target);

// Error: corrupt, naming the gid and the column.
Result<WholeTransaction> whole_of(Columns columns);

}  // namespace belay::store
