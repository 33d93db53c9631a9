#include "servers/sql.h"

#include <libpq-fe.h>
#include <mysql.h>

#include <algorithm>
#include <string_view>

namespace belay::servers {
namespace {

using Answer = std::unique_ptr<PGresult, void (*)(PGresult*)>;

Error failure(std::string_view database, std::string_view words) {
  std::string detail = std::string(database) + ": " + std::string(words);
  while (!detail.empty() && detail.back() == '\n') detail.pop_back();
  std::replace(detail.begin(), detail.end(), '\n', ' ');
  return {ErrorCode::storage, std::move(detail)};
}

bool was_done(const Answer& answer) {
  const auto status = PQresultStatus(answer.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

}  // namespace

void CloseConnection::operator()(pg_conn* database) const { PQfinish(database); }
void CloseConnection::operator()(st_mysql* database) const { mysql_close(database); }

Result<PgConnection> connect_postgresql(const std::string& conninfo) {
  PgConnection database(PQconnectdb(conninfo.c_str()));
  if (PQstatus(database.get()) == CONNECTION_OK) return database;
  return failure("PostgreSQL", PQerrorMessage(database.get()));
}

Result<MariaDbConnection> connect_mariadb(const std::string& socket) {
  MariaDbConnection database(mysql_init(nullptr));
  if (mysql_real_connect(database.get(), nullptr, "root", nullptr, nullptr, 0, socket.c_str(), 0) !=
      nullptr) {
    return database;
  }
  return failure("MariaDB", mysql_error(database.get()));
}

Result<Rows> ask(pg_conn* database, const std::string& sql) {
  const Answer answer(PQexec(database, sql.c_str()), PQclear);
  if (!was_done(answer)) return failure("PostgreSQL", PQerrorMessage(database));
  Rows rows(static_cast<std::size_t>(PQntuples(answer.get())));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (int column = 0; column < PQnfields(answer.get()); ++column) {
      rows[row].emplace_back(PQgetvalue(answer.get(), static_cast<int>(row), column));
    }
  }
  return rows;
}

Result<Rows> ask(st_mysql* database, const std::string& sql) {
  if (mysql_real_query(database, sql.data(), sql.size()) != 0) {
    return failure("MariaDB", mysql_error(database));
  }
  Rows rows;
  const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> answer(mysql_store_result(database),
                                                                mysql_free_result);
  while (answer) {
    const auto* fields = mysql_fetch_row(answer.get());
    if (fields == nullptr) break;
    auto& row = rows.emplace_back();
    for (unsigned column = 0; column < mysql_num_fields(answer.get()); ++column) {
      row.emplace_back(fields[column] == nullptr ? "" : fields[column]);
    }
  }
  if (mysql_errno(database) != 0) return failure("MariaDB", mysql_error(database));
  return rows;
}

Result<> send(pg_conn* database, const std::string& sql) {
  if (PQsendQuery(database, sql.c_str()) == 1) return {};
  return failure("PostgreSQL", PQerrorMessage(database));
}

Result<> finish(pg_conn* database) {
  bool done = true;
  while (const Answer answer{PQgetResult(database), PQclear}) done = done && was_done(answer);
  if (done) return {};
  return failure("PostgreSQL", PQerrorMessage(database));
}

}  // namespace belay::servers
