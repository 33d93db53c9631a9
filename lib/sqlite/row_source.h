// Rows that one SQL statement reads from the program as if they were a table: `INSERT … SELECT`
// writes a whole batch with them. Nothing is bound, and the statement starts once: for small rows
// that costs half of what a statement a row costs.
#pragma once

#include <sqlite3.h>

#include "belay/result.h"

namespace belay::sqlite {

class RowSource {
 public:
  virtual ~RowSource() = default;
  // Goes to the first row. False: there is none. An error ends the statement.
  virtual Result<bool> first() = 0;
  // Goes to the next row.
  virtual Result<bool> next() = 0;
  // Gives the value of a column, counted from 0, of the current row. Text may be lent
  // (SQLITE_STATIC) until the next row.
  virtual void column(sqlite3_context* out, int column) = 0;

  // The error that ended the last statement; none if that error was SQLite's own.
  const Result<>& result() const { return result_; }

 private:
  friend struct RowSourceTable;
  Result<> result_;
};

// Makes `name` a table of this connection. It is in no schema, and gone when the connection closes.
// `columns`: as in CREATE TABLE. `source` must outlive the connection's last statement. Errors:
// storage.
Result<> make_table(sqlite3* db, const char* name, const char* columns, RowSource& source);

}  // namespace belay::sqlite
