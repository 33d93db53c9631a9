// PostgreSQL: PREPARE TRANSACTION, listed in pg_prepared_xacts. A prepared transaction belongs to
// no connection, and any connection can end it.
#include <fmt/format.h>

#include "base/ascii.h"
#include "belay/features.h"
#include "xa/conninfo.h"
#include "xa/session.h"

#if BELAY_HAS_POSTGRESQL
#include <libpq-fe.h>

#include <cstdlib>
#include <initializer_list>
#include <optional>

#include "belay/barrier.h"

namespace belay::xa {
namespace {

constexpr std::string_view kLockNotAvailable = "55P03";
constexpr std::string_view kCanceled = "57014";  // canceled by statement_timeout
constexpr std::string_view kUndefined = "42704";
// An error of COMMIT PREPARED while another connection does the same.
constexpr std::string_view kNotNow = "55000";

struct Clear {
  void operator()(PGresult* result) const noexcept { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, Clear>;

std::string_view state_of(const Answer& answer) {
  const auto* state = PQresultErrorField(answer.get(), PG_DIAG_SQLSTATE);
  return state == nullptr ? std::string_view() : state;
}

bool is_blocked(const Answer& answer) {
  return state_of(answer) == kLockNotAvailable || state_of(answer) == kCanceled;
}

std::string_view cell(const Answer& answer, int row, int column) {
  return {PQgetvalue(answer.get(), row, column),
          static_cast<std::size_t>(PQgetlength(answer.get(), row, column))};
}

class PostgreSqlSession final : public Session {
 public:
  explicit PostgreSqlSession(PGconn* database) : database_(database) {}
  ~PostgreSqlSession() override { PQfinish(database_); }

  bool usable() const override {
    return PQstatus(database_) == CONNECTION_OK && PQtransactionStatus(database_) == PQTRANS_IDLE;
  }
  int socket() const override { return PQsocket(database_); }

  Result<> make_ready() override;
  Result<> bound(const Bounds& bounds) override;
  Result<bool> is_prepared(const Xid& xid) override;
  Result<Row> row(const Key& key) override;
  Result<Inserted> bar(const Key& key) override { return insert(key, kReasonBarred); }
  Result<Inserted> begin(const Xid& xid) override;
  Result<Inserted> guard(const Key& key) override { return insert(key, kReasonDone); }
  Outcome work(const Call& call, const Work& work) override;
  Result<> prepare(const Xid& xid) override;
  void abandon(const Xid& xid) override;
  Result<Ended> commit(const Xid& xid) override { return end("COMMIT", xid); }
  Result<Ended> roll_back(const Xid& xid) override { return end("ROLLBACK", xid); }
  Result<std::vector<PreparedXa>> list(std::string_view realm) override;

 private:
  Answer ask(const std::string& sql) { return Answer(PQexec(database_, sql.c_str())); }
  Answer ask(const char* sql, std::initializer_list<std::string_view> values);
  Result<Inserted> insert(const Key& key, std::string_view reason);
  Result<Ended> end(std::string_view how, const Xid& xid);
  Error failed(std::string_view what) const {
    return {ErrorCode::storage,
            fmt::format("{}: {}", what, base::trimmed(PQerrorMessage(database_)))};
  }

  PGconn* database_;
  std::optional<Bounds> bounds_;  // as last sent to the server
};

Answer PostgreSqlSession::ask(const char* sql, std::initializer_list<std::string_view> values) {
  const std::vector<std::string> texts(values.begin(), values.end());
  std::vector<const char*> pointers;
  pointers.reserve(texts.size());
  for (const auto& text : texts) pointers.push_back(text.c_str());
  return Answer(PQexecParams(database_, sql, static_cast<int>(texts.size()), nullptr,
                             pointers.data(), nullptr, nullptr, 0));
}

bool gave_rows(const Answer& answer) { return PQresultStatus(answer.get()) == PGRES_TUPLES_OK; }
bool was_done(const Answer& answer) { return PQresultStatus(answer.get()) == PGRES_COMMAND_OK; }

Result<> PostgreSqlSession::make_ready() {
  const auto answer = ask("SELECT current_setting('max_prepared_transactions')::int");
  if (!gave_rows(answer)) return failed("max_prepared_transactions");
  if (cell(answer, 0, 0) == "0") {
    return Error{ErrorCode::unsupported,
                 "the PostgreSQL server has max_prepared_transactions = 0: set it to at least the "
                 "number of branches that may be prepared at once, and restart the server"};
  }
  return Barrier::create_table(database_);
}

Result<> PostgreSqlSession::bound(const Bounds& bounds) {
  if (bounds_ == bounds) return {};
  bounds_.reset();
  const auto statement = bounds.statement.count();
  // The server ends a transaction that holds locks and sends no statements, because its call was
  // given up long before.
  const auto answer =
      ask(fmt::format("SET statement_timeout = {}; SET idle_in_transaction_session_timeout = {}; "
                      "SET lock_timeout = {}",
                      statement, statement, bounds.lock.count()));
  if (!was_done(answer)) return failed("setting the timeouts");
  bounds_ = bounds;
  return {};
}

Result<bool> PostgreSqlSession::is_prepared(const Xid& xid) {
  const auto answer =
      ask("SELECT 1 FROM pg_prepared_xacts WHERE database = current_database() AND gid = $1",
          {xid.text()});
  if (!gave_rows(answer)) return failed("looking for the prepared transaction");
  return PQntuples(answer.get()) > 0;
}

Result<Row> PostgreSqlSession::row(const Key& key) {
  const auto answer = ask(
      "SELECT trans_type, reason FROM dtm_barrier.barrier WHERE gid = $1 AND branch_id = $2 AND "
      "op = $3 AND barrier_id = $4",
      {key.gid, key.branch_id, kGuardOp, key.barrier_id()});
  if (!gave_rows(answer)) return failed("reading the barrier");
  if (PQntuples(answer.get()) == 0) return Row::absent;
  return row_from(cell(answer, 0, 0), cell(answer, 0, 1));
}

Result<Inserted> PostgreSqlSession::begin(const Xid&) {
  if (!was_done(ask("BEGIN"))) return failed("BEGIN");
  return Inserted::yes;
}

Result<Inserted> PostgreSqlSession::insert(const Key& key, std::string_view reason) {
  const auto answer =
      ask("INSERT INTO dtm_barrier.barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
          "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (gid, branch_id, op, barrier_id) DO NOTHING",
          {kTransType, key.gid, key.branch_id, kGuardOp, key.barrier_id(), reason});
  if (was_done(answer)) {
    return PQcmdTuples(answer.get()) == std::string_view("1") ? Inserted::yes : Inserted::present;
  }
  if (is_blocked(answer)) return Inserted::blocked;
  return failed("writing the barrier");
}

Outcome PostgreSqlSession::work(const Call& call, const Work& work) {
  auto outcome = run_work([&] { return work.postgresql(call, database_, work.user); });
  if (outcome.kind() != OutcomeKind::success) return outcome;
  switch (PQtransactionStatus(database_)) {
    case PQTRANS_INTRANS: return outcome;
    case PQTRANS_IDLE: return Outcome::failure("the work ended the branch's transaction itself");
    case PQTRANS_INERROR:
      return Outcome::unknown("the work said success, though the database refused a statement");
    case PQTRANS_ACTIVE: return Outcome::unknown("the work left a statement unfinished");
    case PQTRANS_UNKNOWN: break;
  }
  return Outcome::unknown(failed("the connection broke during the work").detail);
}

Result<> PostgreSqlSession::prepare(const Xid& xid) {
  const auto answer = ask(fmt::format("PREPARE TRANSACTION '{}'", xid.text()));
  if (!was_done(answer)) return failed("PREPARE TRANSACTION");
  // For a transaction that has failed, the server answers ROLLBACK, and that counts as success.
  const std::string_view done = PQcmdStatus(answer.get());
  if (done == "PREPARE TRANSACTION") return {};
  return Error{ErrorCode::storage, fmt::format("PREPARE TRANSACTION was answered by {}", done)};
}

void PostgreSqlSession::abandon(const Xid&) {
  const auto at = PQtransactionStatus(database_);
  if (at == PQTRANS_INTRANS || at == PQTRANS_INERROR) ask("ROLLBACK");
}

Result<Ended> PostgreSqlSession::end(std::string_view how, const Xid& xid) {
  const auto answer = ask(fmt::format("{} PREPARED '{}'", how, xid.text()));
  if (was_done(answer)) return Ended::yes;
  if (state_of(answer) == kUndefined) return Ended::gone;
  if (state_of(answer) == kNotNow) return Ended::held;
  return failed(fmt::format("{} PREPARED", how));
}

Result<std::vector<PreparedXa>> PostgreSqlSession::list(std::string_view realm) {
  const auto answer =
      ask("SELECT gid, (extract(epoch FROM prepared) * 1000)::bigint, owner FROM pg_prepared_xacts "
          "WHERE database = current_database() AND starts_with(gid, $1) ORDER BY prepared, gid",
          {prefix_of(realm)});
  if (!gave_rows(answer)) return failed("listing the prepared transactions");
  std::vector<PreparedXa> found;
  for (int i = 0; i < PQntuples(answer.get()); ++i) {
    const Millis at(std::strtoll(PQgetvalue(answer.get(), i, 1), nullptr, 10));
    found.push_back(
        {std::string(cell(answer, i, 0)), TimePoint(at), std::string(cell(answer, i, 2))});
  }
  return found;
}

class PostgreSqlConnector final : public Connector {
 public:
  explicit PostgreSqlConnector(Parts parts) : parts_(std::move(parts)) {}
  Result<std::unique_ptr<Session>> connect() const override {
    std::vector<const char*> names, values;
    for (const auto& [name, value] : parts_) {
      names.push_back(name.c_str());
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    auto* database = PQconnectdbParams(names.data(), values.data(), 0);
    auto session = std::make_unique<PostgreSqlSession>(database);
    if (PQstatus(database) == CONNECTION_OK) return std::unique_ptr<Session>(std::move(session));
    return Error{ErrorCode::storage, std::string(base::trimmed(PQerrorMessage(database)))};
  }

 private:
  Parts parts_;
};

Result<Parts> parse(const std::string& conninfo) {
  char* words = nullptr;
  auto* options = PQconninfoParse(conninfo.c_str(), &words);
  if (options == nullptr) {
    Error error{
        ErrorCode::invalid_argument,
        std::string(base::trimmed(words == nullptr ? "the conninfo cannot be read" : words))};
    PQfreemem(words);
    return error;
  }
  Parts parts;
  for (const auto* option = options; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) parts[option->keyword] = option->val;
  }
  PQconninfoFree(options);
  return parts;
}

}  // namespace

Result<std::unique_ptr<Connector>> postgresql_connector(std::string_view conninfo, Millis timeout) {
  auto parts = parse(std::string(conninfo));
  if (!parts) return parts.error();
  // Values that the caller has set stay.
  parts->emplace("connect_timeout", std::to_string(whole_seconds(timeout)));
  parts->emplace("application_name", "belay");
  parts->emplace("client_encoding", "UTF8");
  return std::unique_ptr<Connector>(std::make_unique<PostgreSqlConnector>(std::move(*parts)));
}

}  // namespace belay::xa

#else

namespace belay::xa {

Result<std::unique_ptr<Connector>> postgresql_connector(std::string_view, Millis) {
  return Error{ErrorCode::unsupported, "this belay was built without PostgreSQL's client library"};
}

}  // namespace belay::xa

#endif
