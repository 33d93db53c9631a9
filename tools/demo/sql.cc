#include "demo/sql.h"

#include <libpq-fe.h>
#include <mysql.h>

#include <algorithm>
#include <cctype>
#include <cstring>

namespace belay::demo {
namespace {

Error failure(std::string_view database, std::string_view words) {
  std::string detail = std::string(database) + ": " + std::string(words);
  while (!detail.empty() && detail.back() == '\n') detail.pop_back();
  std::replace(detail.begin(), detail.end(), '\n', ' ');
  return {ErrorCode::storage, std::move(detail)};
}

}  // namespace

Result<Rows> ask(pg_conn* database, const std::string& sql) {
  const std::unique_ptr<PGresult, void (*)(PGresult*)> answer(PQexec(database, sql.c_str()),
                                                              PQclear);
  const auto status = PQresultStatus(answer.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    return failure("PostgreSQL", PQerrorMessage(database));
  }
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

bool is_plain(std::string_view text) { return is_plain_path(text) && text.find('/') == text.npos; }

bool is_plain_path(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || (c != 0 && std::strchr("/._-", c) != nullptr));
  });
}

void Session::Close::operator()(pg_conn* database) const { PQfinish(database); }
void Session::Close::operator()(st_mysql* database) const { mysql_close(database); }

Result<Session> Session::connect(const Files& files, BankId bank) {
  if (bank == BankId::a) {
    Session session(PQconnectdb(files.conninfo(bank).c_str()), nullptr);
    auto* database = session.postgresql_.get();
    if (PQstatus(database) != CONNECTION_OK) return failure("PostgreSQL", PQerrorMessage(database));
    return session;
  }
  Session session(nullptr, mysql_init(nullptr));
  auto* database = session.mariadb_.get();
  const auto socket = files.server(bank) + "/socket";
  if (mysql_real_connect(database, nullptr, "root", nullptr, nullptr, 0, socket.c_str(), 0) ==
      nullptr) {
    return failure("MariaDB", mysql_error(database));
  }
  return session;
}

Result<Rows> Session::ask(const std::string& sql) {
  return postgresql_ ? demo::ask(postgresql_.get(), sql) : demo::ask(mariadb_.get(), sql);
}

}  // namespace belay::demo
