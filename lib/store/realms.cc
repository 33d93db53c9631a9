#include "store/realms.h"

#include <string>
#include <string_view>

namespace belay::store {
namespace {

constexpr std::string_view kPostgreSqlRealm = "xa_realm:postgresql:";
constexpr std::string_view kMariaDbRealm = "xa_realm:mariadb:";
// ';' follows ':' in ASCII.
constexpr std::string_view kReadRealms =
    "SELECT name, value FROM main.meta WHERE name > 'xa_realm:' AND name < 'xa_realm;'"
    " ORDER BY name";

std::string_view prefix_of(XaKind kind) {
  return kind == XaKind::postgresql ? kPostgreSqlRealm : kMariaDbRealm;
}

}  // namespace

Result<> write_realms(sqlite::Statement& set, const std::vector<XaRealm>& realms) {
  for (const auto& one : realms) {
    const auto name = std::string(prefix_of(one.kind)) + one.realm;
    set.bind_text(1, name);
    set.bind_text(2, one.participant);
    BELAY_TRY(set.run());
  }
  return {};
}

Result<std::vector<XaRealm>> read_realms(sqlite::Database& database) {
  auto read = sqlite::Statement::prepare(database.handle(), kReadRealms);
  if (!read) return read.error();
  std::vector<XaRealm> realms;
  while (true) {
    auto row = read->step();
    if (!row) return row.error();
    if (!*row) return realms;
    const auto name = read->bytes(0);
    for (const auto kind : {XaKind::postgresql, XaKind::mariadb}) {
      const auto prefix = prefix_of(kind);
      if (!name.starts_with(prefix)) continue;
      realms.push_back(
          {kind, std::string(name.substr(prefix.size())), std::string(read->bytes(1))});
    }
  }
}

}  // namespace belay::store
