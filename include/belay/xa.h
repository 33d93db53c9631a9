// A database as a participant of XA transactions, on its own prepared transactions: PREPARE
// TRANSACTION in PostgreSQL, XA in MariaDB. They survive the crash of either side between prepare
// and commit.
//
//   auto stock = belay::XaDatabase::postgresql(engine, "stock", "dbname=stock");
//   stock->handle("reserve", reserve, &shop);  // runs SQL on the connection it is given
//   engine.run(belay::Xa().branch(stock->branch("reserve", "7A")).branch(…));
//
// What is prepared keeps its locks until the transaction is decided. Two transactions that lock the
// same rows of two databases in opposite order wait for each other until one times out; in_order()
// avoids that. "Survives" is only as true as the server's settings: fsync in PostgreSQL,
// innodb_flush_log_at_trx_commit = 1 in MariaDB.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/engine.h"
#include "belay/tcc.h"
#include "belay/xa_realm.h"

struct pg_conn;
struct st_mysql;

namespace belay {

// Runs its SQL inside the open branch of `call` on `database`: no commit, no rollback, no DDL that
// commits by itself, no change of the session's settings. On one of the participant's threads,
// where it may block; the database ends a statement that takes longer than the call may. Success:
// the branch is prepared; anything else: it is rolled back and the outcome handed on. It throws:
// unknown.
using PgWork = Outcome (*)(const Call& call, pg_conn* database, void* user);
using MariaDbWork = Outcome (*)(const Call& call, st_mysql* database, void* user);

struct XaOptions {
  // Connections, and threads that use them: what is beyond waits its turn. One is kept for commits
  // and rollbacks, unless it is the only one. 1 to 256.
  unsigned connections_max = 8;
  // Both: 1 ms to 1 h.
  Millis connect_timeout{5'000};
  // The longest wait for a lock inside the database: what holds a call up must not outlive it.
  Millis lock_timeout{2'000};
  // Marks this engine's prepared transactions, and their rows in the barrier's table. Two engines
  // that use one database must differ in it. So must an engine whose state file was thrown away:
  // the database still knows what the old one committed, and a gid used again under the same realm
  // would be stuck. 1 to 24 characters of a-z, 0-9, '-'. Empty: the participant's name. The state
  // file remembers it, for `belay xa orphans`.
  std::string realm{};
};

// One prepared transaction found in a database.
struct PreparedXa {
  std::string xid;          // as the database shows it
  TimePoint prepared_at{};  // the epoch if the database does not tell: MariaDB
  std::string owner;        // empty: likewise
};

class BELAY_EXPORT XaDatabase {
 public:
  // Connects once to see that the database can do it (max_prepared_transactions, the barrier's
  // table, which is created if it is missing), and registers the handlers "NAME.commit" and
  // "NAME.rollback" with the engine. `conninfo` is libpq's: TLS and all else is set there. Errors:
  // unsupported (built without libpq, or the server does not allow prepared transactions), storage
  // (with the database's words), invalid_argument. `handle` may be called while the Engine is there
  // and was not moved.
  static Result<XaDatabase> postgresql(Engine& engine, std::string_view name,
                                       std::string_view conninfo, const XaOptions& options = {});
  // `conninfo`: "host=… port=… socket=… user=… password=… database=… ssl-ca=… ssl-cert=… ssl-key=…
  // ssl-verify=1", each part optional.
  static Result<XaDatabase> mariadb(Engine& engine, std::string_view name,
                                    std::string_view conninfo, const XaOptions& options = {});

  // Of one that was moved from `handle` says misuse, and `branch` is empty.
  XaDatabase(XaDatabase&&) noexcept;
  XaDatabase& operator=(XaDatabase&&) noexcept;
  // Cuts off what its threads are waiting for and ends them. Close the engine first: what it calls
  // afterwards is `unknown`, and called again until a close.
  ~XaDatabase();

  // Registers what branches may do as "NAME.OPERATION"; not "commit" or "rollback". Errors: those
  // of Engine::handle; invalid_argument without work; misuse for the other database's kind of work.
  Result<> handle(std::string_view operation, PgWork work, void* user = nullptr);
  Result<> handle(std::string_view operation, MariaDbWork work, void* user = nullptr);

  // The three targets of a branch that does `operation` here.
  TwoPhaseBranch branch(std::string_view operation, std::string_view payload = {},
                        StepOptions options = {}) const;

 private:
  class Impl;
  explicit XaDatabase(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

// The name that the branch of a transaction has in the database. Same gid, branch and realm: same
// xid. Gids that are too long or have other characters are given by a digest.
BELAY_EXPORT std::string xid_of(std::string_view realm, std::string_view gid,
                                std::string_view branch_id);

// The prepared transactions of that realm in a database, oldest first; an empty realm: of any.
// Errors: storage, unsupported, invalid_argument. Blocks.
BELAY_EXPORT Result<std::vector<PreparedXa>> list_prepared(XaKind kind, std::string_view conninfo,
                                                           std::string_view realm);
// Ends one of them, whatever was decided: that is for the caller to know. Errors: as above;
// not_found if it is gone already; busy if it belongs to a connection that is open; for a commit
// forbidden if the database said yes and the barrier's row is not there: then it was not committed.
// That is looked at where the xid has the gid in it, which it has of gids up to 33 bytes of
// letters, digits and the like; of others a database's yes is believed. Blocks.
BELAY_EXPORT Result<> roll_back_prepared(XaKind kind, std::string_view conninfo,
                                         std::string_view xid);
BELAY_EXPORT Result<> commit_prepared(XaKind kind, std::string_view conninfo, std::string_view xid);

}  // namespace belay
