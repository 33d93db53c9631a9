// The barrier's table in MariaDB. `insert ignore` waits for a transaction that has written the same
// row and then sees that row, under every isolation level. But it also accepts values that other
// inserts would refuse, and a table with a case-insensitive collation takes two gids for one. So a
// row that was ignored is compared again, byte by byte.
#include <errmsg.h>
#include <fmt/format.h>
#include <mysql.h>
#include <mysqld_error.h>

#include <optional>

#include "barrier/local.h"
#include "base/hex.h"
#include "belay/check.h"

namespace belay::barrier {
namespace {

constexpr std::string_view kCreateDatabase = "create database if not exists dtm_barrier";
// dtm's definition, except for the collation: names are compared byte by byte.
constexpr std::string_view kCreateMariadb = R"(
  create table if not exists dtm_barrier.barrier (
    id          bigint(22) primary key auto_increment,
    trans_type  varchar(45) default '',
    gid         varchar(128) default '',
    branch_id   varchar(128) default '',
    op          varchar(45) default '',
    barrier_id  varchar(45) default '',
    reason      varchar(45) default '' comment 'the op that wrote the row',
    create_time datetime default now(),
    update_time datetime default now(),
    key (create_time),
    key (update_time),
    unique key (gid, branch_id, op, barrier_id)
  ) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_nopad_bin)";

// In hexadecimal no byte needs an escape, whatever the modes of the connection, and the
// connection's character set does not change the value.
std::string literal(std::string_view text) {
  return fmt::format("_utf8mb4 x'{}'", base::to_hex(text));
}

std::string insert_sql(const Row& row) {
  return fmt::format(
      "insert ignore into dtm_barrier.barrier (gid, branch_id, op, barrier_id, trans_type, reason) "
      "values ({}, {}, {}, {}, {}, {})",
      literal(row.gid), literal(row.branch_id), literal(row.op), literal(row.barrier_id),
      literal(row.trans_type), literal(row.reason));
}

// A locking read: it sees the current row, not the row as of the beginning of the transaction.
std::string reason_sql(const Row& key) {
  const auto gid = literal(key.gid);
  const auto branch_id = literal(key.branch_id);
  return fmt::format(
      "select reason from dtm_barrier.barrier where gid = {0} and branch_id = {1} and op = {2} and "
      "barrier_id = {3} and binary gid = binary {0} and binary branch_id = binary {1} "
      "lock in share mode",
      gid, branch_id, literal(key.op), literal(key.barrier_id));
}

// A client that reconnects automatically would go on without the transaction. So it may reconnect
// before our transaction, but not during it.
class NoReconnect {
 public:
  explicit NoReconnect(MYSQL* database) : database_(database) {
    mysql_get_optionv(database_, MYSQL_OPT_RECONNECT, &before_);
    if (before_ == 0) return;
    mysql_ping(database_);
    set(0);
  }
  NoReconnect(const NoReconnect&) = delete;
  NoReconnect& operator=(const NoReconnect&) = delete;
  ~NoReconnect() {
    if (before_ != 0) set(before_);
  }

 private:
  void set(my_bool value) { mysql_optionsv(database_, MYSQL_OPT_RECONNECT, &value); }

  MYSQL* database_;
  my_bool before_ = 0;
};

class MariaDb final : public Local {
 public:
  explicit MariaDb(MYSQL* database) : database_(database), no_reconnect_(database) {}

  // According to the server's last answer; a lost connection has no transaction.
  bool in_transaction() const override {
    return (database_->server_status & SERVER_STATUS_IN_TRANS) != 0;
  }

  Result<> begin() override {
    if (in_transaction()) {
      return Error{ErrorCode::misuse, "the connection is inside a transaction already"};
    }
    return run("start transaction", "beginning");
  }

  Result<bool> insert(const Row& row) override {
    constexpr std::string_view kDoing = "writing the barrier's row";
    BELAY_TRY(run(insert_sql(row), kDoing));
    const bool is_new = mysql_affected_rows(database_) > 0;
    if (is_new && mysql_warning_count(database_) > 0) {
      return Error{ErrorCode::storage, "MariaDB changed a value of the barrier's row"};
    }
    if (is_new) return true;
    const auto found = reason(row);
    if (!found) return found.error();
    return false;
  }

  Result<std::string> reason(const Row& key) override {
    BELAY_TRY(run(reason_sql(key), "reading the barrier's row"));
    MYSQL_RES* rows = mysql_store_result(database_);
    if (rows == nullptr) return failure("reading the barrier's row");
    std::optional<std::string> found;
    if (MYSQL_ROW row = mysql_fetch_row(rows); row != nullptr && row[0] != nullptr) {
      found = row[0];
    }
    mysql_free_result(rows);
    if (found) return *found;
    return Error{ErrorCode::storage,
                 "the barrier's table takes this gid for another one that differs from it: its "
                 "collation has to be utf8mb4_nopad_bin"};
  }

  Result<> commit(const Row& own) override {
    // A deadlock rolls the whole transaction back. If the work ignores that error, its next
    // statements run without the barrier. The client library cannot detect this, but a missing row
    // shows it.
    BELAY_TRY(run(reason_sql(own), "committing"));
    MYSQL_RES* rows = mysql_store_result(database_);
    const bool there = rows != nullptr && mysql_num_rows(rows) > 0;
    mysql_free_result(rows);
    if (!there || !in_transaction()) {
      return Error{ErrorCode::misuse, "the transaction ended inside the work"};
    }
    if (mysql_query(database_, "commit") == 0) return {};
    auto error = failure("committing");
    if (error.code == ErrorCode::busy) return error;
    return Error{ErrorCode::commit_unknown, error.detail};
  }

  void rollback() override {
    if (in_transaction()) static_cast<void>(mysql_query(database_, "rollback"));
  }

  Result<bool> has_table() override {
    constexpr std::string_view kDoing = "looking for the barrier's table";
    BELAY_TRY(
        run("select 1 from information_schema.tables where table_schema = 'dtm_barrier' and "
            "table_name = 'barrier'",
            kDoing));
    MYSQL_RES* rows = mysql_store_result(database_);
    if (rows == nullptr) return failure(kDoing);
    const bool found = mysql_num_rows(rows) > 0;
    mysql_free_result(rows);
    return found;
  }

  Result<> create_table() override {
    if (in_transaction()) {  // creating a table would commit it
      return Error{ErrorCode::misuse, "the connection is inside a transaction already"};
    }
    BELAY_TRY(run(kCreateDatabase, "creating the barrier's database"));
    return run(kCreateMariadb, "creating the barrier's table");
  }

 private:
  Result<> run(std::string_view sql, std::string_view doing) {
    if (mysql_real_query(database_, sql.data(), static_cast<unsigned long>(sql.size())) != 0) {
      return failure(doing);
    }
    return {};
  }

  Error failure(std::string_view doing) const {
    const unsigned code = mysql_errno(database_);
    // A newer server uses error 1020 to refuse reading a row that its snapshot does not contain.
    const bool lost_race = code == ER_LOCK_DEADLOCK || code == ER_CHECKREAD;
    return {lost_race ? ErrorCode::busy : ErrorCode::storage,
            fmt::format("MariaDB, {}: {} (error {})", doing, mysql_error(database_), code)};
  }

  MYSQL* database_;
  NoReconnect no_reconnect_;
};

}  // namespace

std::unique_ptr<Local> local(st_mysql* database) {
  BELAY_CHECK(database != nullptr);
  return std::make_unique<MariaDb>(database);
}

}  // namespace belay::barrier
