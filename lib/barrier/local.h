// A participant's database as the barrier needs it: one local transaction at a time, on a
// connection that belongs to the caller. There is one implementation for each database; each writes
// only the barrier's rows.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "belay/result.h"

struct sqlite3;
struct pg_conn;
struct st_mysql;

namespace belay::barrier {

// A row of the table. The first four columns are the key, which is unique.
struct Row {
  std::string_view gid;
  std::string_view branch_id;
  std::string_view op;
  std::string_view barrier_id;
  std::string_view trans_type;
  std::string_view reason;  // the op that wrote the row
};

// Errors are `storage` with the database's message unless a comment says otherwise.
class Local {
 public:
  Local() = default;
  Local(const Local&) = delete;
  Local& operator=(const Local&) = delete;
  virtual ~Local() = default;

  // According to the client library.
  virtual bool in_transaction() const = 0;
  // Error misuse: the connection is inside a transaction already; nothing was changed.
  virtual Result<> begin() = 0;
  // True if the row is new. Waits while another transaction has written the same row and not yet
  // committed. Error busy: the transaction lost a race against another one and may succeed if it is
  // begun again.
  virtual Result<bool> insert(const Row& row) = 0;
  // The `reason` of the row with that key, as of now and not as of the transaction's beginning.
  virtual Result<std::string> reason(const Row& key) = 0;
  // `own` is a row that this transaction must see. Error misuse: this transaction is not the one
  // that was begun, or there is none. Error commit_unknown: it cannot be determined whether the
  // transaction was committed.
  virtual Result<> commit(const Row& own) = 0;
  // Does nothing if there is no transaction. If the rollback fails, the database will roll back by
  // itself.
  virtual void rollback() = 0;

  virtual Result<bool> has_table() = 0;
  // Must not be called within a transaction.
  virtual Result<> create_table() = 0;
};

std::unique_ptr<Local> local(sqlite3* database);
std::unique_ptr<Local> local(pg_conn* database);
std::unique_ptr<Local> local(st_mysql* database);

}  // namespace belay::barrier
