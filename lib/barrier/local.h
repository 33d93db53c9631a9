// A participant's database as the guard needs it: one local transaction at a time on a connection
// that is somebody else's. One implementation a database; each writes nothing but the guard's rows.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "belay/result.h"

struct sqlite3;
struct pg_conn;
struct st_mysql;

namespace belay::barrier {

// A row of the table. The first four of the key are unique together.
struct Row {
  std::string_view gid;
  std::string_view branch_id;
  std::string_view op;
  std::string_view barrier_id;
  std::string_view trans_type;
  std::string_view reason;  // the op that wrote the row
};

// Errors are `storage` with the database's words unless it says otherwise.
class Local {
 public:
  Local() = default;
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  virtual ~Local() = default;

  // As far as the client knows.
  virtual bool in_transaction() const = 0;
  // Error misuse: the connection is inside a transaction already; nothing was touched.
  virtual Result<> begin() = 0;
  // True if the row is new. Waits for whoever has written the same one and not committed yet.
  // Error busy: the transaction lost against another one, and begun anew it may get through.
  virtual Result<bool> insert(const Row& row) = 0;
  // The `reason` of the row with that key, as of now and not as of the transaction's beginning.
  virtual Result<std::string> reason(const Row& key) = 0;
  // `own` is a row that this transaction has to see. Error misuse: the transaction is not the one
  // that was begun, or there is none. Error commit_unknown: whether it committed cannot be told.
  virtual Result<> commit(const Row& own) = 0;
  // Does nothing if there is no transaction. What it cannot roll back, the database will.
  virtual void rollback() = 0;

  virtual Result<bool> has_table() = 0;
  // Not within a transaction.
  virtual Result<> create_table() = 0;
};

std::unique_ptr<Local> local(sqlite3* database);
std::unique_ptr<Local> local(pg_conn* database);
std::unique_ptr<Local> local(st_mysql* database);

}  // namespace belay::barrier
