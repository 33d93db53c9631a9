// The participant's guard: a table in the participant's own database, written in the same local
// transaction as its work. With it a branch may be called twice, late, or undone before it was
// done, and no harm comes of it. Table, columns and meaning are those of dtm's barrier, so that a
// service can be moved over on a live database.
//
// PostgreSQL's and MariaDB's clients are optional at build time: BELAY_HAS_… in belay/features.h
// tells. Without one, its functions answer unknown, or the error unsupported, and say so.
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

// The name of the barrier's table: dtm's. SQLite has no schemas, so there it is `barrier`.
inline constexpr std::string_view kBarrierTable = "dtm_barrier.barrier";

// Which call of which branch. The strings are the ones on the wire.
class BELAY_EXPORT Barrier {
 public:
  // Of a call that a handler was given. Its operations are numbered: the first `call` of this
  // object guards with barrier id "01", the next with "02", as in dtm. So
  // make a new one to try again what was unknown: the old one would guard it as the next.
  explicit Barrier(Mode mode, const Call& call);
  // Of a call that came over the wire. An XA branch's first phase may be `prepare`, or `action` as
  // dtm calls it: it is one and the same row. `op` also takes dtm's "msg".
  Barrier(std::string_view trans_type, std::string_view gid, std::string_view branch_id,
          std::string_view op);

  // Runs `work` inside one local transaction on the connection, guarded. Committed if it answers
  // success, else rolled back, guard and all.
  //   - done before (a repeated call), or late (its undo came first): success, without running it.
  //     Of two at the same time the second waits until the first has ended.
  //   - an undo whose forward call never came: success, without running it, and the forward call is
  //     barred for good.
  //   - op "msg", and the back-check came first: failure, without running it.
  // What work throws counts as unknown. Outcome: work's own; unknown, with the database's words, if
  // the database failed (it lost a race, a lock took too long, the connection went away), or
  // whether it committed cannot be told; unknown, with nothing touched, if the connection is inside
  // a transaction already or a name is longer than its column. Work must not end the transaction.
  Outcome call(sqlite3* database, const std::function<Outcome()>& work);
  Outcome call(pg_conn* database, const std::function<Outcome()>& work);
  Outcome call(st_mysql* database, const std::function<Outcome()>& work);

  // The back-check of a two-phase message, see belay/outbox.h: success if the caller's transaction
  // committed; failure if it has not, and from then on it cannot; unknown if the database failed.
  // Waits while that transaction is open.
  static Outcome query_prepared(std::string_view gid, sqlite3* database);
  static Outcome query_prepared(std::string_view gid, pg_conn* database);
  static Outcome query_prepared(std::string_view gid, st_mysql* database);

  // Creates the table (and its schema) unless it is there. Errors: storage, with the database's
  // words; misuse, inside a transaction; unsupported.
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
