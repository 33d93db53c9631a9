#include "store/finished_rows.h"

#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace belay::store {
namespace {

constexpr std::string_view kInsertFinished =
    "INSERT INTO main.transaction_rows(id, gid, mode, status, stuck, created_at, updated_at,"
    " attempts, last_error, trace_id, lsn, definition_hash, definition, branches, timeline,"
    " progress, result) VALUES(?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, nullif(?8, ''), nullif(?9, ''), ?10,"
    " ?11, ?12, ?13, ?14, nullif(?15, ''), nullif(?16, ''))";

}  // namespace

Result<FinishedRows> FinishedRows::prepare(sqlite3* db) {
  FinishedRows rows;
  auto insert = sqlite::Statement::prepare(db, kInsertFinished);
  if (!insert) return insert.error();
  rows.insert_ = std::move(*insert);
  return rows;
}

Result<> FinishedRows::write(const transfer::RowLine& row, core::TransactionId id, core::Lsn lsn) {
  insert_.bind(1, id);
  insert_.bind_text(2, row.gid);
  insert_.bind(3, static_cast<std::int64_t>(row.mode));
  insert_.bind(4, static_cast<std::int64_t>(row.status));
  insert_.bind(5, row.created_at);
  insert_.bind(6, row.updated_at);
  insert_.bind(7, std::int64_t{row.attempts});
  insert_.bind_text(8, row.last_error);
  insert_.bind_text(9, row.trace_id);
  insert_.bind(10, lsn);
  insert_.bind(11, row.definition_hash);
  insert_.bind_text(12, row.definition);
  insert_.bind_text(13, row.branches);
  insert_.bind_text(14, row.timeline);
  insert_.bind_text(15, row.progress);
  if (base::is_text(row.result)) {
    insert_.bind_text(16, row.result);
  } else {
    insert_.bind_blob(16, row.result);
  }
  return insert_.run();
}

}  // namespace belay::store
