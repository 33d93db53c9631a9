// A database as a participant of XA transactions, by means of the database's own prepared
// transactions: PREPARE TRANSACTION in PostgreSQL, XA in MariaDB. A prepared transaction survives a
// crash of the database or of belay between prepare and commit.
//
//   auto stock = belay::XaDatabase::postgresql(engine, "stock", "dbname=stock");
//   stock->handle("reserve", reserve, &shop);  // runs SQL on the connection it is given
//   engine.run(belay::Xa().branch(stock->branch("reserve", "7A")).branch(…));
//
// A prepared transaction keeps its locks until it is decided. If two transactions lock the same
// rows of two databases in opposite order, they wait for each other until one of them times out;
// in_order() avoids this. The survival depends on the server's settings: fsync in PostgreSQL,
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

// Runs SQL inside the open branch of `call` on `database`: no commit, no rollback, no DDL that
// commits implicitly, no change of the session's settings. The function runs on one of the
// participant's threads, where it may block; the database ends a statement that takes longer than
// the call's timeout. If it answers success, the branch is prepared. Any other outcome rolls the
// branch back and is passed on. An exception counts as unknown.
using PgWork = Outcome (*)(const Call& call, pg_conn* database, void* user);
using MariaDbWork = Outcome (*)(const Call& call, st_mysql* database, void* user);

struct XaOptions {
  // The number of connections, each with a thread; calls beyond it wait. One connection is reserved
  // for commits and rollbacks, unless it is the only one. 1 to 256.
  unsigned connections_max = 8;
  // Both timeouts: 1 ms to 1 h.
  Millis connect_timeout{5'000};
  // The longest wait for a lock inside the database: a wait for a lock must not outlast the call
  // that it delays.
  Millis lock_timeout{2'000};
  // Marks the prepared transactions of this engine, and their rows in the barrier's table. Two
  // engines that use one database must have different realms. An engine whose state file was
  // deleted also needs a new realm: the database still has the barrier rows of what the old engine
  // committed, and a transaction with a gid from that time under the same realm would be stuck. 1
  // to 24 characters of a-z, 0-9, '-'. Empty: the participant's name. The state file stores the
  // realm, for `belay xa orphans`.
  std::string realm{};
};

// One prepared transaction that was found in a database.
struct PreparedXa {
  std::string xid;  // as the database shows it
  // The epoch if the database does not report the time: MariaDB does not.
  TimePoint prepared_at{};
  // Empty if the database does not report the owner: MariaDB does not.
  std::string owner;
};

class BELAY_EXPORT XaDatabase {
 public:
  // Connects once to check that the database supports prepared transactions
  // (max_prepared_transactions) and has the barrier's table, which is created if it is missing.
  // Registers the handlers "NAME.commit" and "NAME.rollback" with the engine. `conninfo` has
  // libpq's syntax; TLS and all other settings of the connection are set there. Errors: unsupported
  // (built without libpq, or the server does not allow prepared transactions), storage (with the
  // database's message), invalid_argument, resources (no thread is left). `handle` may be called as
  // long as the Engine exists and was not moved.
  static Result<XaDatabase> postgresql(Engine& engine, std::string_view name,
                                       std::string_view conninfo, const XaOptions& options = {});
  // The same for MariaDB. `conninfo`: "host=… port=… socket=… user=… password=… database=… ssl-ca=…
  // ssl-cert=… ssl-key=… ssl-verify=1", each part optional.
  static Result<XaDatabase> mariadb(Engine& engine, std::string_view name,
                                    std::string_view conninfo, const XaOptions& options = {});

  // For a moved-from object `handle` returns misuse, and `branch` returns an empty branch.
  XaDatabase(XaDatabase&&) noexcept;
  XaDatabase& operator=(XaDatabase&&) noexcept;
  // Interrupts whatever its threads wait for, and ends them. Close the engine first: calls that the
  // engine makes after the destruction are `unknown`, and are repeated until the engine is closed.
  ~XaDatabase();

  // Registers an operation for branches under the name "NAME.OPERATION"; OPERATION must not be
  // "commit" or "rollback". Errors: those of Engine::handle; invalid_argument if `work` is null;
  // misuse if `work` is for the other kind of database.
  Result<> handle(std::string_view operation, PgWork work, void* user = nullptr);
  Result<> handle(std::string_view operation, MariaDbWork work, void* user = nullptr);

  // A branch with the three targets for `operation` on this database.
  TwoPhaseBranch branch(std::string_view operation, std::string_view payload = {},
                        StepOptions options = {}) const;

 private:
  class Impl;
  explicit XaDatabase(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

// The name of a transaction's branch in the database. The same gid, branch and realm give the same
// xid. A gid that is too long or has other characters than an xid allows is replaced by a digest.
BELAY_EXPORT std::string xid_of(std::string_view realm, std::string_view gid,
                                std::string_view branch_id);

// The prepared transactions of one realm in a database, oldest first; with an empty realm those of
// any realm. Errors: storage, unsupported, invalid_argument. Blocks.
BELAY_EXPORT Result<std::vector<PreparedXa>> list_prepared(XaKind kind, std::string_view conninfo,
                                                           std::string_view realm);
// Ends one prepared transaction, whatever belay decided about it: the caller must know the
// decision. Errors: as above; not_found if the transaction no longer exists; busy if it belongs to
// an open connection; for a commit also forbidden if the database reported success and the
// barrier's row does not exist: then the transaction was not committed. The barrier's row is
// checked only if the xid contains the gid, which is the case for gids of up to 33 bytes of
// letters, digits and a few other characters; for other gids the database's success is trusted.
// Blocks.
BELAY_EXPORT Result<> roll_back_prepared(XaKind kind, std::string_view conninfo,
                                         std::string_view xid);
BELAY_EXPORT Result<> commit_prepared(XaKind kind, std::string_view conninfo, std::string_view xid);

}  // namespace belay
