// One connection to one database, as the algorithm in branch.cc needs it. Every statement is sent
// only after the previous one was answered: branch.cc relies on that.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "belay/result.h"
#include "belay/xa.h"
#include "xa/xid.h"

namespace belay::xa {

// The row that a branch writes to the barrier's table: dtm's key (gid, branch_id, "action",
// barrier_id), where barrier_id is "01@REALM". The row's reason tells which operation wrote it
// first.
struct Key {
  std::string_view gid;
  std::string_view branch_id;
  std::string_view realm;

  std::string barrier_id() const { return std::string(kBarrierId) + "@" + std::string(realm); }
  // Whether the table can store such a row: the names must have 1 to 128 bytes of UTF-8 without
  // NUL.
  bool is_storable() const { return is_name(gid) && is_name(branch_id); }

 private:
  static constexpr std::string_view kBarrierId = "01";  // for the branch's first operation
  static constexpr std::size_t kNameBytesMax = 128;     // the width of the columns
  static bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= kNameBytesMax && base::is_text(text);
  }
};

inline constexpr std::string_view kTransType = "xa";
inline constexpr std::string_view kGuardOp = "action";
inline constexpr std::string_view kReasonDone = "action";
inline constexpr std::string_view kReasonBarred = "rollback";

enum class Inserted : std::uint8_t {
  yes,
  present,  // another transaction has committed the row
  // Another transaction, running or prepared, has written the row and has not ended.
  blocked,
};

enum class Row : std::uint8_t { absent, done, barred, strange };

enum class Ended : std::uint8_t {
  yes,
  gone,  // there is no such prepared transaction
  // The transaction exists, but belongs to another connection that has not released it.
  held,
};

// The longest times that a call may take inside the database.
struct Bounds {
  Millis statement{};
  Millis lock{};

  bool operator==(const Bounds&) const = default;
};

// A user's function and its argument.
struct Work {
  PgWork postgresql = nullptr;
  MariaDbWork mariadb = nullptr;
  void* user = nullptr;
};

class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  // False: the connection no longer works, or must not be used again.
  virtual bool usable() const = 0;
  virtual int socket() const = 0;
  // The prepared transaction that only this connection can end; empty if there is none.
  virtual std::string_view holds() const { return {}; }

  // Checks that the server allows prepared transactions, and that the barrier's table exists;
  // creates the table if it is missing. Errors: unsupported, and storage with the database's
  // message, as for all functions below.
  virtual Result<> make_ready() = 0;
  virtual Result<> bound(const Bounds& bounds) = 0;
  virtual Result<bool> is_prepared(const Xid& xid) = 0;
  virtual Result<Row> row(const Key& key) = 0;
  // Runs in a transaction of its own, which is committed.
  virtual Result<Inserted> bar(const Key& key) = 0;

  virtual Result<Inserted> begin(const Xid& xid) = 0;  // returns yes or blocked
  virtual Result<Inserted> guard(const Key& key) = 0;  // runs in the transaction that was begun
  virtual Outcome work(const Call& call, const Work& work) = 0;
  virtual Result<> prepare(const Xid& xid) = 0;
  // Rolls back what was begun and not prepared. If the database does not roll back now, it does so
  // when the connection ends; so this function closes the connection if necessary.
  virtual void abandon(const Xid& xid) = 0;

  virtual Result<Ended> commit(const Xid& xid) = 0;
  virtual Result<Ended> roll_back(const Xid& xid) = 0;

  // The prepared transactions of the realm; empty: of all realms.
  virtual Result<std::vector<PreparedXa>> list(std::string_view realm) = 0;
};

class Connector {
 public:
  virtual ~Connector() = default;
  virtual Result<std::unique_ptr<Session>> connect() const = 0;
};

// Errors: unsupported (built without that database's client library), invalid_argument (the
// conninfo). `connect` returns storage.
Result<std::unique_ptr<Connector>> postgresql_connector(std::string_view conninfo, Millis timeout);
Result<std::unique_ptr<Connector>> mariadb_connector(std::string_view conninfo, Millis timeout);

}  // namespace belay::xa
