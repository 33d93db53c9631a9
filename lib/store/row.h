// Writes a transaction as a row of `transaction_rows`. Only this file knows how the columns are
// written; `whole.h` reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/transaction.h"
#include "store/sqlite.h"

namespace belay::store {

// The parts of a row that are not in the transaction itself.
struct RowFacts {
  core::Lsn lsn = 0;
  bool stuck = false;
  std::uint64_t due_at = 0;
};

inline constexpr std::string_view kEraseRow = "DELETE FROM main.transaction_rows WHERE id = ?1";

class RowWriter {
 public:
  // `table` is a fixed text of the store: "transaction_rows".
  static Result<RowWriter> prepare(sqlite3* db, std::string_view table);

  // Inserts the row, or updates the columns that may change.
  Result<> write(const core::Transaction& transaction, const RowFacts& facts);
  // The bytes of the texts and snapshots in all rows written so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  void bind_memory(const core::Remembered* remembered);

  Statement upsert_;
  // Kept between rows, so that after some rows no more memory must be allocated.
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
