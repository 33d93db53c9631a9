// Rows that one SQL statement reads from the program as if they were a table: `INSERT … SELECT`
// writes a whole batch of such rows. No value is bound, and the statement starts only once: for
// small rows this costs half as much as one statement for each row.
#pragma once

#include <sqlite3.h>

#include "belay/result.h"
#include "sqlite/sqlite.h"

namespace belay::sqlite {

class RowSource {
 public:
  virtual ~RowSource() = default;
  // Goes to the first row. False: there is no row. An error ends the statement.
  virtual Result<bool> first() = 0;
  // Goes to the next row.
  virtual Result<bool> next() = 0;
  // Gives the value of a column, counted from 0, of the current row. Text need not be copied
  // (SQLITE_STATIC) if it stays valid until the next row.
  virtual void column(sqlite3_context* out, int column) = 0;

 protected:
  // Runs a statement that reads the rows. Errors: the source's own, or SQLite's.
  Result<> run(Statement& statement);

 private:
  friend struct RowSourceTable;
  Result<> failure_;  // the source's own
};

// Makes `name` a table of this connection. The table is in no schema, and is gone when the
// connection closes. `columns`: as in CREATE TABLE. `source` must outlive the connection's last
// statement. Errors: storage.
Result<> make_table(sqlite3* db, const char* name, const char* columns, RowSource& source);

}  // namespace belay::sqlite
