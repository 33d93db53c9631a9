// The barrier protects a participant's database from repeated and late calls. The barrier is a
// table in the participant's own database; its rows are written in the same local transaction as
// the participant's work. With the barrier a branch may be called twice, may be called late, or may
// be undone before it was done, and no harm follows. The table, its columns and their meaning are
// those of dtm's barrier, so that a service can move from dtm to belay on a live database.
//
// The client libraries of PostgreSQL and MariaDB are optional at build time: the macros BELAY_HAS_…
// in belay/features.h say which are built in. If a client library is missing, the functions for its
// database answer `unknown`, or return the error `unsupported`, and name the reason.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "belay/call.h"
#include "belay/export.h"
#include "belay/outcome.h"
#include "belay/result.h"
#include "belay/types.h"

struct sqlite3;
struct pg_conn;   // PGconn
struct st_mysql;  // MYSQL

namespace belay {

namespace barrier {
class Local;
}

// The name of the barrier's table, the same as dtm's. SQLite has no schemas; there the table is
// named `barrier`.
inline constexpr std::string_view kBarrierTable = "dtm_barrier.barrier";

// Identifies one operation of one branch. The strings are those that dtm's protocol sends.
class BELAY_EXPORT Barrier {
 public:
  // For a call that a handler was given. The operations of one Barrier object are numbered: the
  // first `call` of the object uses barrier id "01", the second "02", as in dtm. So make a new
  // object to repeat an operation whose outcome was unknown: the old object would guard the
  // repetition as the next operation.
  explicit Barrier(Mode mode, const Call& call);
  // For a call that arrived over the network. The first phase of an XA branch may be named
  // `prepare`, or `action` as dtm names it: both names lead to the same row. `op` may also be dtm's
  // "msg".
  Barrier(std::string_view trans_type, std::string_view gid, std::string_view branch_id,
          std::string_view op);

  // Runs `work` inside one local transaction on the connection, together with the barrier's row.
  // The transaction is committed if `work` answers success; otherwise it is rolled back, the
  // barrier's row included.
  // - The operation was done before (a repeated call), or its undo came first (a late call):
  //   success, without running `work`. If two such calls run at the same time, the second waits
  //   until the first has ended.
  // - The call is an undo and its forward call never came: success, without running `work`. The
  //   forward call is barred for good.
  // - `op` is "msg" and the back-check came first: failure, without running `work`.
  //
  // An exception from `work` counts as unknown. The outcome is that of `work`, or one of these:
  // unknown, with the database's message, if the database failed (it lost a race, a lock took too
  // long, the connection was lost), or if it cannot be determined whether the transaction was
  // committed; unknown, with nothing changed, if the connection is inside a transaction already or
  // a name is longer than its column. `work` must not end the transaction.
  Outcome call(sqlite3* database, const std::function<Outcome()>& work);
  Outcome call(pg_conn* database, const std::function<Outcome()>& work);
  Outcome call(st_mysql* database, const std::function<Outcome()>& work);

  // The back-check of a two-phase message, see belay/outbox.h. Success: the caller's transaction
  // was committed. Failure: it was not committed, and from now on it cannot be. Unknown: the
  // database failed. The function waits while the caller's transaction is open.
  static Outcome query_prepared(std::string_view gid, sqlite3* database);
  static Outcome query_prepared(std::string_view gid, pg_conn* database);
  static Outcome query_prepared(std::string_view gid, st_mysql* database);

  // Creates the table (and its schema) if it does not exist. Errors: storage, with the database's
  // message; misuse, if the connection is inside a transaction; unsupported.
  static Result<> create_table(sqlite3* database);
  static Result<> create_table(pg_conn* database);
  static Result<> create_table(st_mysql* database);

 private:
  Outcome guarded(barrier::Local& database, const std::function<Outcome()>& work);

  std::string trans_type_;
  std::string gid_;
  std::string branch_id_;
  std::string op_;
  unsigned calls_ = 0;
};

}  // namespace belay
