// The barrier's table in PostgreSQL. The insert waits for a transaction that has written the same
// row. Under repeatable read the insert then fails with a serialization error, because the row is
// newer than the transaction; when the transaction is begun again, it sees the row. So a row that
// an insert has met can be read without a lock.
#include <fmt/format.h>
#include <libpq-fe.h>

#include <array>

#include "barrier/local.h"
#include "belay/check.h"

namespace belay::barrier {
namespace {

// dtm's definition, but with the times filled in.
constexpr const char* kCreatePostgresql[] = {
    "create schema if not exists dtm_barrier",
    "create sequence if not exists dtm_barrier.barrier_seq",
    R"(create table if not exists dtm_barrier.barrier (
         id          bigint primary key default nextval('dtm_barrier.barrier_seq'),
         trans_type  varchar(45) default '',
         gid         varchar(128) default '',
         branch_id   varchar(128) default '',
         op          varchar(45) default '',
         barrier_id  varchar(45) default '',
         reason      varchar(45) default '',
         create_time timestamp(0) with time zone default now(),
         update_time timestamp(0) with time zone default now(),
         constraint uniq_barrier unique (gid, branch_id, op, barrier_id)
       ))",
};

// The values are sent as bytes, so that the connection's encoding does not change them.
constexpr const char* kInsertPostgresql = R"(
  insert into dtm_barrier.barrier (gid, branch_id, op, barrier_id, trans_type, reason)
  values (convert_from($1, 'UTF8'), convert_from($2, 'UTF8'), convert_from($3, 'UTF8'),
          convert_from($4, 'UTF8'), convert_from($5, 'UTF8'), convert_from($6, 'UTF8'))
  on conflict on constraint uniq_barrier do nothing)";

constexpr const char* kReasonPostgresql = R"(
  select reason from dtm_barrier.barrier
  where gid = convert_from($1, 'UTF8') and branch_id = convert_from($2, 'UTF8')
    and op = convert_from($3, 'UTF8') and barrier_id = convert_from($4, 'UTF8'))";

constexpr Oid kBytea = 17;

class PgResult {
 public:
  explicit PgResult(PGresult* result) : result_(result) {}
  PgResult(const PgResult&) = delete;
  PgResult& operator=(const PgResult&) = delete;
  ~PgResult() { PQclear(result_); }

  explicit operator bool() const {
    const auto status = PQresultStatus(result_);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  }
  // Empty if the server did not answer.
  std::string_view sqlstate() const {
    const char* state = PQresultErrorField(result_, PG_DIAG_SQLSTATE);
    return state == nullptr ? "" : state;
  }
  std::string_view words() const {
    const char* words = PQresultErrorField(result_, PG_DIAG_MESSAGE_PRIMARY);
    return words == nullptr ? "" : words;
  }
  std::string_view command() const { return PQcmdStatus(result_); }
  bool changed_a_row() const { return std::string_view(PQcmdTuples(result_)) == "1"; }
  bool has_row() const { return PQntuples(result_) > 0; }
  std::string text() const { return PQgetvalue(result_, 0, 0); }
  bool is_true() const { return has_row() && text() == "t"; }

 private:
  PGresult* result_;
};

class Postgresql final : public Local {
 public:
  explicit Postgresql(PGconn* database) : database_(database) {}

  bool in_transaction() const override {
    const auto status = PQtransactionStatus(database_);
    return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
  }

  Result<> begin() override {
    if (in_transaction()) {
      return Error{ErrorCode::misuse, "the connection is inside a transaction already"};
    }
    return run("begin", "beginning");
  }

  Result<bool> insert(const Row& row) override {
    const PgResult answer(
        execute<6>(kInsertPostgresql,
                   {row.gid, row.branch_id, row.op, row.barrier_id, row.trans_type, row.reason}));
    if (!answer) return failure(answer, "writing the barrier's row");
    return answer.changed_a_row();
  }

  Result<std::string> reason(const Row& key) override {
    const PgResult answer(
        execute<4>(kReasonPostgresql, {key.gid, key.branch_id, key.op, key.barrier_id}));
    if (!answer) return failure(answer, "reading the barrier's row");
    if (!answer.has_row()) return Error{ErrorCode::busy, "the barrier's row went away"};
    return answer.text();
  }

  Result<> commit(const Row&) override { return commit(); }

  void rollback() override {
    if (in_transaction()) static_cast<void>(run("rollback", "rolling back"));
  }

  Result<bool> has_table() override {
    // Searched by name in the catalog: that requires no right to use the schema.
    const PgResult answer(PQexec(database_,
                                 "select exists (select 1 from pg_catalog.pg_class c join "
                                 "pg_catalog.pg_namespace n on n.oid = c.relnamespace where "
                                 "n.nspname = 'dtm_barrier' and c.relname = 'barrier')"));
    if (!answer) return failure(answer, "looking for the barrier's table");
    return answer.is_true();
  }

  Result<> create_table() override {
    BELAY_TRY(begin());
    auto done = create();
    if (done) done = commit();
    if (!done) rollback();
    return done;
  }

 private:
  Result<> commit() {
    if (PQtransactionStatus(database_) == PQTRANS_IDLE) {
      return Error{ErrorCode::misuse, "the transaction ended inside the work"};
    }
    const PgResult answer(PQexec(database_, "commit"));
    if (!answer) {
      auto error = failure(answer, "committing");
      // After a lost race or a violated deferred constraint, the transaction was certainly not
      // committed.
      if (error.code == ErrorCode::busy || answer.sqlstate().starts_with("23")) return error;
      return Error{ErrorCode::commit_unknown, error.detail};
    }
    // The server answers this way if a statement failed and the work ignored the error.
    if (answer.command() == "ROLLBACK") {
      return Error{ErrorCode::storage, "PostgreSQL rolled back, as a statement of the work failed"};
    }
    return {};
  }

  Result<> create() {
    // Suppresses the notices that an object exists already: libpq prints them.
    BELAY_TRY(run("set local client_min_messages = warning", "creating the barrier's table"));
    for (const char* sql : kCreatePostgresql) BELAY_TRY(run(sql, "creating the barrier's table"));
    return {};
  }

  Result<> run(const char* sql, std::string_view doing) {
    const PgResult answer(PQexec(database_, sql));
    if (!answer) return failure(answer, doing);
    return {};
  }

  template <std::size_t kCount>
  PGresult* execute(const char* sql, const std::array<std::string_view, kCount>& values) {
    std::array<Oid, kCount> types;
    std::array<const char*, kCount> bytes;
    std::array<int, kCount> sizes;
    std::array<int, kCount> formats;
    types.fill(kBytea);
    formats.fill(1);  // binary
    for (std::size_t i = 0; i < kCount; ++i) {
      bytes[i] = values[i].data();
      sizes[i] = static_cast<int>(values[i].size());
    }
    return PQexecParams(database_, sql, static_cast<int>(kCount), types.data(), bytes.data(),
                        sizes.data(), formats.data(), 0);
  }

  Error failure(const PgResult& answer, std::string_view doing) const {
    const auto state = answer.sqlstate();
    if (state.empty()) {
      std::string_view words = PQerrorMessage(database_);
      while (!words.empty() && words.back() == '\n') words.remove_suffix(1);
      return {ErrorCode::storage, fmt::format("PostgreSQL, {}: {}", doing, words)};
    }
    const bool lost_race = state == "40001" || state == "40P01";  // serialization failure, deadlock
    return {lost_race ? ErrorCode::busy : ErrorCode::storage,
            fmt::format("PostgreSQL, {}: {} (SQLSTATE {})", doing, answer.words(), state)};
  }

  PGconn* database_;
};

}  // namespace

std::unique_ptr<Local> local(pg_conn* database) {
  BELAY_CHECK(database != nullptr);
  return std::make_unique<Postgresql>(database);
}

}  // namespace belay::barrier
