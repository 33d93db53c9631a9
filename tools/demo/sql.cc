#include "demo/sql.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

namespace belay::demo {

bool is_plain(std::string_view text) { return is_plain_path(text) && text.find('/') == text.npos; }

bool is_plain_path(std::string_view path) {
  return std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || (c != 0 && std::strchr("/._-", c) != nullptr));
  });
}

Result<Session> Session::connect(const Files& files, BankId bank) {
  if (bank == BankId::a) {
    auto database = servers::connect_postgresql(files.conninfo(bank));
    if (!database) return database.error();
    return Session(std::move(*database));
  }
  auto database = servers::connect_mariadb(files.server(bank) + "/socket");
  if (!database) return database.error();
  return Session(std::move(*database));
}

Result<Rows> Session::ask(const std::string& sql) {
  return postgresql_ ? servers::ask(postgresql_.get(), sql) : servers::ask(mariadb_.get(), sql);
}

}  // namespace belay::demo
