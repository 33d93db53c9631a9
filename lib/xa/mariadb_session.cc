// MariaDB: XA, where XA RECOVER lists the prepared transactions. A transaction that a connection
// has prepared can only be ended by that connection, until it is closed. So the session keeps the
// transaction (`holds`) and, if all goes well, ends it too.
//
// The behaviour of MariaDB 10.11, found by experiments:
// - Another connection gets XAER_NOTA (no such xid) for a transaction that XA RECOVER lists, as
//   long as the connection that prepared it exists, and for a moment after its close. So after NOTA
//   the list is read: if the transaction is listed, it is held.
// - While a connection is closing there is a moment in which XA COMMIT by another connection
//   reports success, commits nothing and removes the xid from the list until the server is
//   restarted. (Resetting the connection instead of closing it makes that moment longer.) So a
//   success is trusted only if the barrier's row can be read, and a connection with a prepared
//   transaction is not reset.
// - A statement that ran into the timeout of a lock leaves the XA transaction unchanged; a deadlock
//   makes it roll-back-only, which XA END reports.
#include <fmt/format.h>

#include "belay/features.h"
#include "xa/conninfo.h"
#include "xa/session.h"

#if BELAY_HAS_MARIADB
#include <mysql.h>
#include <mysqld_error.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <optional>

#include "belay/barrier.h"

namespace belay::xa {
namespace {

// The error numbers of the client library itself: the connection is lost.
constexpr unsigned kClientErrorsFrom = 2000;
constexpr unsigned kClientErrorsTo = 2999;
// The pause between two checks whether another connection has released the transaction.
constexpr Millis kHeldPause{20};

struct Free {
  void operator()(MYSQL_RES* result) const noexcept { mysql_free_result(result); }
};
using Rows = std::vector<std::vector<std::string>>;

std::string sql_of(const Xid& xid) { return fmt::format("'{}','{}'", xid.transaction, xid.branch); }

// One line of XA RECOVER FORMAT='RAW': the format, the two lengths, and both parts together.
std::optional<Xid> listed_xid(const std::vector<std::string>& line) {
  if (line.size() != 4 || line[0] != "1") return std::nullopt;
  const auto length = std::strtoull(line[1].c_str(), nullptr, 10);
  if (length > line[3].size()) return std::nullopt;
  return Xid{line[3].substr(0, length), line[3].substr(length)};
}

class MariaDbSession final : public Session {
 public:
  explicit MariaDbSession(MYSQL* database) : database_(database) {}
  ~MariaDbSession() override { mysql_close(database_); }

  bool usable() const override { return !broken_; }
  int socket() const override { return static_cast<int>(mysql_get_socket(database_)); }
  std::string_view holds() const override { return holds_; }

  Result<> make_ready() override { return Barrier::create_table(database_); }
  Result<> bound(const Bounds& bounds) override;
  Result<bool> is_prepared(const Xid& xid) override;
  Result<Row> row(const Key& key) override;
  Result<Inserted> bar(const Key& key) override { return insert(key, kReasonBarred); }
  Result<Inserted> begin(const Xid& xid) override;
  Result<Inserted> guard(const Key& key) override { return insert(key, kReasonDone); }
  Outcome work(const Call& call, const Work& work) override {
    return run_work([&] { return work.mariadb(call, database_, work.user); });
  }
  Result<> prepare(const Xid& xid) override;
  void abandon(const Xid& xid) override;
  Result<Ended> commit(const Xid& xid) override { return end("COMMIT", xid); }
  Result<Ended> roll_back(const Xid& xid) override { return end("ROLLBACK", xid); }
  Result<std::vector<PreparedXa>> list(std::string_view realm) override;

 private:
  // False: `failed` returns the message.
  bool run(const std::string& sql);
  Result<Rows> rows(const std::string& sql, std::string_view what);
  std::string quoted(std::string_view text);
  Result<Inserted> insert(const Key& key, std::string_view reason);
  Result<Ended> end(std::string_view how, const Xid& xid);
  Error failed(std::string_view what) const {
    return {ErrorCode::storage, fmt::format("{}: {}", what, mysql_error(database_))};
  }

  MYSQL* database_;
  Millis lock_wait_{};
  std::optional<Bounds> bounds_;  // as last sent to the server
  std::string holds_;
  bool broken_ = false;
};

bool MariaDbSession::run(const std::string& sql) {
  if (mysql_real_query(database_, sql.data(), sql.size()) == 0) return true;
  const auto number = mysql_errno(database_);
  if (number >= kClientErrorsFrom && number <= kClientErrorsTo) broken_ = true;
  return false;
}

Result<Rows> MariaDbSession::rows(const std::string& sql, std::string_view what) {
  if (!run(sql)) return failed(what);
  const std::unique_ptr<MYSQL_RES, Free> answer(mysql_store_result(database_));
  if (!answer) {
    broken_ = true;
    return failed(what);
  }
  Rows found;
  while (auto* line = mysql_fetch_row(answer.get())) {
    const auto* lengths = mysql_fetch_lengths(answer.get());
    auto& cells = found.emplace_back();
    for (unsigned i = 0; i < mysql_num_fields(answer.get()); ++i) {
      cells.emplace_back(line[i] == nullptr ? "" : line[i], lengths[i]);
    }
  }
  return found;
}

std::string MariaDbSession::quoted(std::string_view text) {
  std::string escaped(2 * text.size() + 1, '\0');
  const auto size = mysql_real_escape_string(database_, escaped.data(), text.data(), text.size());
  escaped.resize(size);
  return "'" + escaped + "'";
}

Result<> MariaDbSession::bound(const Bounds& bounds) {
  lock_wait_ = bounds.lock;
  if (bounds_ == bounds) return {};
  // The connection now accepts only the statement that ends the prepared transaction.
  if (!holds_.empty()) return {};
  bounds_.reset();
  // The server ends a transaction that holds locks and sends no statements, because its call was
  // given up long before.
  const auto lock = whole_seconds(bounds.lock);
  if (!run(fmt::format("SET autocommit = 1, max_statement_time = {}.{:03}, "
                       "idle_transaction_timeout = {}, innodb_lock_wait_timeout = {}, "
                       "lock_wait_timeout = {}",
                       bounds.statement.count() / 1000, bounds.statement.count() % 1000,
                       whole_seconds(bounds.statement), lock, lock))) {
    return failed("setting the timeouts");
  }
  bounds_ = bounds;
  return {};
}

Result<bool> MariaDbSession::is_prepared(const Xid& xid) {
  if (holds_ == xid.text()) return true;
  const auto listed = rows("XA RECOVER FORMAT='RAW'", "XA RECOVER");
  if (!listed) return listed.error();
  return std::any_of(listed->begin(), listed->end(),
                     [&xid](const auto& line) { return listed_xid(line) == xid; });
}

Result<Row> MariaDbSession::row(const Key& key) {
  const auto found =
      rows(fmt::format("SELECT trans_type, reason, gid FROM dtm_barrier.barrier WHERE gid = {} AND "
                       "branch_id = {} AND op = {} AND barrier_id = {}",
                       quoted(key.gid), quoted(key.branch_id), quoted(kGuardOp),
                       quoted(key.barrier_id())),
           "reading the barrier");
  if (!found) return found.error();
  if (found->empty()) return Row::absent;
  const auto& cells = found->front();
  // A table that dtm created may have a collation that takes two gids for one.
  return cells[2] == key.gid ? row_from(cells[0], cells[1]) : Row::strange;
}

Result<Inserted> MariaDbSession::begin(const Xid& xid) {
  if (run("XA START " + sql_of(xid))) return Inserted::yes;
  if (mysql_errno(database_) == ER_XAER_DUPID) return Inserted::blocked;
  return failed("XA START");
}

Result<Inserted> MariaDbSession::insert(const Key& key, std::string_view reason) {
  // Without IGNORE, which would truncate long values and so take two gids for one. (Without strict
  // mode the server truncates all the same, with a warning.)
  if (run(fmt::format(
          "INSERT INTO dtm_barrier.barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
          "VALUES ({}, {}, {}, {}, {}, {})",
          quoted(kTransType), quoted(key.gid), quoted(key.branch_id), quoted(kGuardOp),
          quoted(key.barrier_id()), quoted(reason)))) {
    if (mysql_warning_count(database_) == 0) return Inserted::yes;
    broken_ = true;  // and whatever the connection holds is dropped
    return Error{ErrorCode::storage, "MariaDB changed a value of the barrier's row"};
  }
  switch (mysql_errno(database_)) {
    case ER_DUP_ENTRY: return Inserted::present;
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_STATEMENT_TIMEOUT: return Inserted::blocked;
    default: return failed("writing the barrier");
  }
}

Result<> MariaDbSession::prepare(const Xid& xid) {
  if (!run("XA END " + sql_of(xid))) return failed("XA END");
  if (!run("XA PREPARE " + sql_of(xid))) return failed("XA PREPARE");
  holds_ = xid.text();
  return {};
}

void MariaDbSession::abandon(const Xid& xid) {
  run("XA END " + sql_of(xid));  // harmless if this was done already
  if (!run("XA ROLLBACK " + sql_of(xid))) broken_ = true;
}

Result<Ended> MariaDbSession::end(std::string_view how, const Xid& xid) {
  for (auto left = lock_wait_;; left -= kHeldPause) {
    if (run(fmt::format("XA {} {}", how, sql_of(xid)))) {
      holds_.clear();
      return Ended::yes;
    }
    if (mysql_errno(database_) != ER_XAER_NOTA) {
      broken_ = true;
      return failed(fmt::format("XA {}", how));
    }
    const auto listed = is_prepared(xid);
    if (!listed) return listed.error();
    if (!*listed) return Ended::gone;
    if (left <= Millis(0)) return Ended::held;
    // The server waits, so that closing the socket ends the wait.
    if (!run(fmt::format("DO SLEEP(0.{:03})", kHeldPause.count()))) return failed("waiting");
  }
}

Result<std::vector<PreparedXa>> MariaDbSession::list(std::string_view realm) {
  const auto listed = rows("XA RECOVER FORMAT='RAW'", "XA RECOVER");
  if (!listed) return listed.error();
  std::vector<PreparedXa> found;
  const auto prefix = prefix_of(realm);
  for (const auto& line : *listed) {
    const auto xid = listed_xid(line);
    if (xid && xid->transaction.starts_with(prefix)) found.push_back({xid->text(), {}, {}});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.xid < b.xid; });
  return found;
}

constexpr std::string_view kNames[] = {"host",     "port",   "socket",   "user",    "password",
                                       "database", "ssl-ca", "ssl-cert", "ssl-key", "ssl-verify"};

class MariaDbConnector final : public Connector {
 public:
  MariaDbConnector(Parts parts, unsigned port, unsigned timeout_seconds)
      : parts_(std::move(parts)), port_(port), timeout_seconds_(timeout_seconds) {}
  Result<std::unique_ptr<Session>> connect() const override;

 private:
  const char* part(std::string_view name) const {
    const auto found = parts_.find(name);
    return found == parts_.end() ? nullptr : found->second.c_str();
  }
  void set_options(MYSQL* database) const;

  Parts parts_;
  unsigned port_;
  unsigned timeout_seconds_;
};

void MariaDbConnector::set_options(MYSQL* database) const {
  const unsigned off = 0;
  mysql_options(database, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_seconds_);
  mysql_options(database, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_options(database, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (part("ssl-ca") != nullptr) mysql_options(database, MYSQL_OPT_SSL_CA, part("ssl-ca"));
  if (part("ssl-cert") != nullptr) mysql_options(database, MYSQL_OPT_SSL_CERT, part("ssl-cert"));
  if (part("ssl-key") != nullptr) mysql_options(database, MYSQL_OPT_SSL_KEY, part("ssl-key"));
  const auto* verify = part("ssl-verify");
  if (verify == nullptr) return;
  const my_bool on = std::string_view(verify) == "1" ? 1 : 0;
  mysql_options(database, MYSQL_OPT_SSL_ENFORCE, &on);
  mysql_options(database, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
}

// The library sets SIGPIPE to be ignored in the whole process, but only the host may decide that.
void start_library() {
  struct sigaction before {};
  const bool known = sigaction(SIGPIPE, nullptr, &before) == 0;
  mysql_server_init(0, nullptr, nullptr);
  if (known) sigaction(SIGPIPE, &before, nullptr);
}

Result<std::unique_ptr<Session>> MariaDbConnector::connect() const {
  static std::once_flag once;
  std::call_once(once, start_library);
  auto* database = mysql_init(nullptr);
  if (database == nullptr) return Error{ErrorCode::storage, "no memory for a connection"};
  auto session = std::make_unique<MariaDbSession>(database);
  set_options(database);
  if (mysql_real_connect(database, part("host"), part("user"), part("password"), part("database"),
                         port_, part("socket"), 0) != nullptr) {
    return std::unique_ptr<Session>(std::move(session));
  }
  return Error{ErrorCode::storage, mysql_error(database)};
}

}  // namespace

Result<std::unique_ptr<Connector>> mariadb_connector(std::string_view conninfo, Millis timeout) {
  auto parts = parse_parts(conninfo);
  if (!parts) return parts.error();
  for (const auto& [name, value] : *parts) {
    if (std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames)) continue;
    return Error{ErrorCode::invalid_argument, fmt::format("the conninfo has no '{}'", name)};
  }
  const auto port = parts->find("port");
  const auto number = port == parts->end() ? 0 : std::strtoul(port->second.c_str(), nullptr, 10);
  if (number > 65'535 || (port != parts->end() && number == 0)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the conninfo's port is '{}', it must be 1 to 65535", port->second)};
  }
  return std::unique_ptr<Connector>(
      std::make_unique<MariaDbConnector>(std::move(*parts), static_cast<unsigned>(number),
                                         static_cast<unsigned>(whole_seconds(timeout))));
}

}  // namespace belay::xa

#else

namespace belay::xa {

Result<std::unique_ptr<Connector>> mariadb_connector(std::string_view, Millis) {
  return Error{ErrorCode::unsupported, "this belay was built without MariaDB's client library"};
}

}  // namespace belay::xa

#endif
