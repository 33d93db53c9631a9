#include "xa_databases.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <filesystem>

#include "servers/mariadb_server.h"
#include "servers/postgres_server.h"
#include "servers/sql.h"

namespace belay::bench {
namespace {

// MariaDB stores rows in its tree by key, PostgreSQL in a heap beside its index.
constexpr const char* kCreateTransfers =
    "CREATE TABLE bench.transfers (gid VARCHAR(128) PRIMARY KEY, payload TEXT NOT NULL)";
constexpr const char* kGids = "SELECT gid FROM bench.transfers";

class Databases final : public XaDatabases {
 public:
  explicit Databases(const std::string& directory)
      : postgresql_(options(directory + "/postgresql")),
        mariadb_(options(directory + "/mariadb")) {}

  Result<> create_tables() const;
  std::string postgresql() const override { return postgresql_.conninfo(); }
  std::string mariadb() const override { return mariadb_.conninfo(); }
  std::string mariadb_socket() const override { return mariadb_.socket(); }
  Result<> verify(std::uint64_t transactions, std::vector<std::string>& problems) const override;

 private:
  static servers::ServerOptions options(const std::string& folder) {
    return {.folder = folder, .durable = true, .read_committed = true};
  }

  servers::PostgresServer postgresql_;
  servers::MariaDbServer mariadb_;
};

template <class Connection>
Result<> create_table(const Connection& database) {
  for (const char* sql : {"CREATE SCHEMA bench", kCreateTransfers}) {
    const auto ran = servers::ask(database.get(), sql);
    if (!ran) return ran.error();
  }
  return {};
}

Result<> Databases::create_tables() const {
  const auto first = servers::connect_postgresql(postgresql());
  if (!first) return first.error();
  BELAY_TRY(create_table(*first));
  const auto second = servers::connect_mariadb(mariadb_socket());
  if (!second) return second.error();
  return create_table(*second);
}

// The content of one database.
struct Held {
  std::vector<std::string> gids;  // sorted
  std::size_t prepared = 0;
};

template <class Connection>
Result<Held> held(const Connection& database, const char* list_prepared) {
  const auto rows = servers::ask(database.get(), kGids);
  if (!rows) return rows.error();
  const auto prepared = servers::ask(database.get(), list_prepared);
  if (!prepared) return prepared.error();
  Held found;
  for (const auto& row : *rows) found.gids.push_back(row.at(0));
  std::sort(found.gids.begin(), found.gids.end());
  found.prepared = prepared->size();
  return found;
}

Result<> Databases::verify(std::uint64_t transactions, std::vector<std::string>& problems) const {
  const auto first = servers::connect_postgresql(postgresql());
  if (!first) return first.error();
  const auto second = servers::connect_mariadb(mariadb_socket());
  if (!second) return second.error();
  const auto at_first = held(*first, "SELECT gid FROM pg_prepared_xacts");
  if (!at_first) return at_first.error();
  const auto at_second = held(*second, "XA RECOVER");
  if (!at_second) return at_second.error();
  if (at_first->gids.size() != transactions) {
    problems.push_back(fmt::format("PostgreSQL has the rows of {} transactions instead of {}",
                                   at_first->gids.size(), transactions));
  }
  if (at_first->gids != at_second->gids) problems.push_back("the two databases do not agree");
  for (const auto* one : {&*at_first, &*at_second}) {
    if (one->prepared == 0) continue;
    problems.push_back(fmt::format("{} transactions are still prepared in {}", one->prepared,
                                   one == &*at_first ? "PostgreSQL" : "MariaDB"));
  }
  return {};
}

// True if a conninfo and a server's setting accept the path without quotes.
bool is_plain_path(const std::string& path) {
  return std::all_of(path.begin(), path.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '/' || c == '.' || c == '_' || c == '-';
  });
}

// The servers that root starts run as another user, who must be able to pass through the directory.
void let_through(const std::string& directory) {
  if (::geteuid() != 0) return;
  std::filesystem::permissions(directory, std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
}

}  // namespace

Result<std::unique_ptr<XaDatabases>> XaDatabases::start(const std::string& directory) {
  const auto absolute = std::filesystem::absolute(directory).string();
  if (!is_plain_path(absolute)) {
    return Error{ErrorCode::invalid_argument,
                 absolute + " has spaces or quotes in it, which the servers cannot do with"};
  }
  try {
    let_through(absolute);
    auto databases = std::make_unique<Databases>(absolute);
    BELAY_TRY(databases->create_tables());
    return std::unique_ptr<XaDatabases>(std::move(databases));
  } catch (const servers::NotInstalled& missing) {
    return Error{ErrorCode::unsupported,
                 fmt::format("workload xa needs the servers of PostgreSQL and MariaDB (Debian: "
                             "postgresql, mariadb-server-core, mariadb-client-core): {}",
                             missing.what())};
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::storage, thrown.what()};
  }
}

std::string insert_row(std::string_view gid, std::string_view payload) {
  return fmt::format("INSERT INTO bench.transfers (gid, payload) VALUES ('{}', '{}')", gid,
                     payload);
}

}  // namespace belay::bench
