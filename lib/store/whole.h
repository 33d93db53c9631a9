// A transaction for readers. It is made from the columns of its row, or from its state in the log,
// which is first written as such columns. So there is only one way of reading, whether the newest
// state is in a row or not. The views `branches` and `timeline` show the same to plain SQL.
#pragma once

#include <cstdint>
#include <string>

#include "belay/reader.h"
#include "core/transaction.h"
#include "sqlite/sqlite.h"

namespace belay::store {

struct Columns {
  TransactionRow row;
  std::string branches;  // JSON; this and the next two as in the file
  std::string timeline;
  std::string progress;  // empty: none
};

// The first columns that `read_columns` and `read_row` expect of a statement, for a table with the
// newest schema; an older table lacks kNewColumns.
inline constexpr std::string_view kRowColumns =
    "id, gid, mode, status, stuck, created_at, updated_at, due_at, attempts, last_error,"
    " trace_id, definition, CASE WHEN stuck THEN state END, ";
inline constexpr std::string_view kNewColumns = "result, progress";
inline constexpr std::string_view kNoNewColumns = "NULL, NULL";
inline constexpr std::string_view kHistoryColumns = ", branches, timeline";

TransactionRow read_row(const sqlite::Statement& row);
Columns read_columns(const sqlite::Statement& row);
TransactionRow row_of(const core::Transaction& transaction, std::uint32_t stuck_after);
// Error: corrupt (the timeline).
Result<Columns> columns_of(const core::Transaction& transaction, std::uint32_t stuck_after);

// True if the row's definition names this target in some branch. A definition that cannot be read
// names none.
bool column_names_target(std::string_view definition, std::string_view target);

// Error: corrupt, naming the gid and the column.
Result<WholeTransaction> whole_of(Columns columns);

}  // namespace belay::store
