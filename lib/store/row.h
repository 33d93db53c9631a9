// Writes a transaction as a row of `transaction_rows`. Only this file knows how the columns are
// written; `whole.h` reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/transaction.h"
#include "ports/store.h"
#include "sqlite/row_source.h"
#include "sqlite/sqlite.h"

namespace belay::store {

inline constexpr std::string_view kEraseRow = "DELETE FROM main.transaction_rows WHERE id = ?1";

// Writes the rows of a batch with one statement, which reads the rows from this object.
class RowWriter : private sqlite::RowSource {
 public:
  static Result<std::unique_ptr<RowWriter>> prepare(sqlite3* db);

  // Inserts each row, or replaces what may change in it. Rows that are to be erased are skipped.
  Result<> write(std::span<const ports::RowChange> rows);
  // The bytes of the texts and snapshots of all rows written so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  Result<bool> first() override;
  Result<bool> next() override;
  void column(sqlite3_context* out, int column) override;

  Result<bool> render_current();
  void render_memory(const core::Transaction& transaction);

  sqlite::Statement upsert_;
  std::span<const ports::RowChange> rows_;
  std::size_t at_ = 0;
  // The columns of the current row. The strings keep their memory between rows, so that after the
  // first rows a row allocates nothing.
  std::string definition_;
  std::string branches_;
  std::string timeline_;
  std::string reason_;
  std::string state_;
  std::string progress_;
  std::uint64_t bytes_ = 0;
};

// Append the JSON columns to `out`.
void render_definition(std::string& out, const core::Definition& definition);
void render_branches(std::string& out, const core::Transaction& transaction);
Result<> render_timeline(std::string& out, const core::Transaction& transaction);
void render_progress(std::string& out, const core::Remembered& remembered);

}  // namespace belay::store
