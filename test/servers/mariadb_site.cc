#include <mysql.h>

#include <stdexcept>

#include "servers/mariadb_server.h"
#include "servers/site.h"

namespace belay::test {
namespace {

using namespace belay::servers;

MariaDbServer& mariadb_server() {
  static MariaDbServer one;
  return one;
}

class MariaDbConnection final : public Connection {
 public:
  explicit MariaDbConnection(const char* schema) : database_(mysql_init(nullptr)) {
    if (mysql_real_connect(database_, nullptr, mariadb_server().user().c_str(), nullptr, schema, 0,
                           mariadb_server().socket().c_str(), 0) == nullptr) {
      throw std::runtime_error(words());
    }
  }
  ~MariaDbConnection() override { mysql_close(database_); }

  Outcome call(Barrier& barrier, const std::function<Outcome()>& work) override {
    return barrier.call(database_, work);
  }
  Outcome query_prepared(std::string_view gid) override {
    return Barrier::query_prepared(gid, database_);
  }
  Result<Report> do_and_submit(Engine& engine, const Msg& msg,
                               const std::function<Outcome()>& work) override {
    return belay::do_and_submit(engine, msg, database_, work);
  }
  Result<> create_table() override { return Barrier::create_table(database_); }

  bool run(const std::string& sql) override {
    if (mysql_query(database_, sql.c_str()) != 0) return false;
    mysql_free_result(mysql_store_result(database_));
    return true;
  }
  std::vector<std::string> rows(const std::string& sql) override {
    MYSQL_RES* result =
        mysql_query(database_, sql.c_str()) == 0 ? mysql_store_result(database_) : nullptr;
    if (result == nullptr) throw std::runtime_error(words());
    std::vector<std::string> found;
    while (MYSQL_ROW row = mysql_fetch_row(result)) {
      std::string text;
      for (unsigned column = 0; column < mysql_num_fields(result); ++column) {
        text += (column > 0 ? " " : "") + std::string(row[column] == nullptr ? "" : row[column]);
      }
      found.push_back(text);
    }
    mysql_free_result(result);
    return found;
  }
  std::string id() override { return std::to_string(mysql_thread_id(database_)); }
  void let_reconnect() override {
    const my_bool on = 1;
    mysql_optionsv(database_, MYSQL_OPT_RECONNECT, &on);
  }

 private:
  std::string words() const { return mysql_error(database_); }

  MYSQL* database_;
};

}  // namespace

std::string MariaDb::address() { return mariadb_server().socket(); }

std::unique_ptr<Connection> MariaDb::connect_with(const std::string& isolation) {
  static const bool made = [] {
    MariaDbConnection first(nullptr);
    return first.create_table().has_value() && first.run("create database shop") &&
           first.run("create table shop.effects (story int, what varchar(45))");
  }();
  if (!made) throw std::runtime_error("cannot make the tables");
  auto connection = std::make_unique<MariaDbConnection>("shop");
  connection->run("set session transaction isolation level " + isolation);
  return connection;
}

// Not innodb_trx, which goes on telling the same as long as it is asked more than ten times a
// second.
bool MariaDb::someone_waits() {
  return MariaDbConnection(nullptr).rows(
             "show global status like 'innodb_row_lock_current_waits'") !=
         std::vector<std::string>{"Innodb_row_lock_current_waits 0"};
}

void MariaDb::kill_connection(const std::string& id) {
  MariaDbConnection other(nullptr);
  other.run("kill " + id);
  while (!other.rows("select 1 from information_schema.processlist where id = " + id).empty()) {
  }
}

void MariaDb::kill_server() { mariadb_server().kill9(); }
void MariaDb::restart_server() { mariadb_server().restart(); }

}  // namespace belay::test
