// One connection to one database, as the algorithm in branch.cc sees it. Every statement is sent
// only after the one before was answered: branch.cc relies on that.
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

// The row that a branch leaves in the barrier's table: dtm's key (gid, branch_id, "action",
// barrier_id), the last being "01@REALM". Its reason says who was first.
struct Key {
  std::string_view gid;
  std::string_view branch_id;
  std::string_view realm;

  std::string barrier_id() const { return std::string(kBarrierId) + "@" + std::string(realm); }
  // Whether the table can have such a row at all: 1 to 128 bytes of UTF-8 without NUL.
  bool is_storable() const { return is_name(gid) && is_name(branch_id); }

 private:
  static constexpr std::string_view kBarrierId = "01";  // of the branch's first operation
  static constexpr std::size_t kNameBytesMax = 128;     // the columns' width
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
  present,  // committed by another
  blocked,  // another transaction, running or prepared, has it and has not ended
};

enum class Row : std::uint8_t { absent, done, barred, strange };

enum class Ended : std::uint8_t {
  yes,
  gone,  // there is no such prepared transaction
  held,  // there is, but it belongs to another connection that has not let go of it
};

// What a call may take inside the database.
struct Bounds {
  Millis statement{};
  Millis lock{};

  bool operator==(const Bounds&) const = default;
};

// A user's function and what it is called with.
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

  // False: the connection is of no use any more, or must not be used again.
  virtual bool usable() const = 0;
  virtual int socket() const = 0;
  // The prepared transaction that only this connection can end, or an empty text.
  virtual std::string_view holds() const { return {}; }

  // Whether the server lets transactions be prepared, and the barrier's table, created if it is
  // missing. Errors: unsupported, and storage as all that follow, with the database's words.
  virtual Result<> make_ready() = 0;
  virtual Result<> bound(const Bounds& bounds) = 0;
  virtual Result<bool> is_prepared(const Xid& xid) = 0;
  virtual Result<Row> row(const Key& key) = 0;
  // In a transaction of its own, committed.
  virtual Result<Inserted> bar(const Key& key) = 0;

  virtual Result<Inserted> begin(const Xid& xid) = 0;  // yes or blocked
  virtual Result<Inserted> guard(const Key& key) = 0;  // in the transaction begun
  virtual Outcome work(const Call& call, const Work& work) = 0;
  virtual Result<> prepare(const Xid& xid) = 0;
  // Takes back what was begun and not prepared. What the database does not take back now it takes
  // back when the connection ends, so this closes it if need be.
  virtual void abandon(const Xid& xid) = 0;

  virtual Result<Ended> commit(const Xid& xid) = 0;
  virtual Result<Ended> roll_back(const Xid& xid) = 0;

  // Of the realm; empty: of all.
  virtual Result<std::vector<PreparedXa>> list(std::string_view realm) = 0;
};

class Connector {
 public:
  virtual ~Connector() = default;
  virtual Result<std::unique_ptr<Session>> connect() const = 0;
};

// Errors: unsupported (built without that database's client), invalid_argument (the conninfo).
// `connect`: storage.
Result<std::unique_ptr<Connector>> postgresql_connector(std::string_view conninfo, Millis timeout);
Result<std::unique_ptr<Connector>> mariadb_connector(std::string_view conninfo, Millis timeout);

}  // namespace belay::xa
