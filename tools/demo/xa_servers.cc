#include "demo/xa_servers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <exception>
#include <filesystem>

#include "demo/sql.h"
#include "servers/mariadb_server.h"
#include "servers/postgres_server.h"

namespace belay::demo {
namespace {

constexpr std::int64_t kRowsAtOnce = 1'000;

constexpr const char* kAccounts = R"(
  CREATE TABLE IF NOT EXISTS accounts (
    account       BIGINT PRIMARY KEY,
    state         VARCHAR(6) NOT NULL,
    opening_cents BIGINT NOT NULL,
    balance_cents BIGINT NOT NULL
  ))";
constexpr const char* kPostings = R"(
  CREATE TABLE IF NOT EXISTS postings (
    id        {} PRIMARY KEY,
    gid       VARCHAR(128) NOT NULL,
    branch_id VARCHAR(128) NOT NULL,
    op        VARCHAR(45) NOT NULL,
    account   BIGINT NOT NULL,
    cents     BIGINT NOT NULL
  ))";

Result<> run(Session& session, const std::string& sql) {
  const auto ran = session.ask(sql);
  return ran ? Result<>() : Result<>(ran.error());
}

Result<> open_accounts(Session& session, BankId bank, std::int64_t accounts) {
  BELAY_TRY(run(session, "BEGIN"));
  for (std::int64_t first = 1; first <= accounts; first += kRowsAtOnce) {
    std::string sql = "INSERT INTO accounts VALUES ";
    for (auto account = first; account <= accounts && account < first + kRowsAtOnce; ++account) {
      const auto opening = opening_of(bank, account);
      sql += fmt::format("{}({}, '{}', {}, {})", account == first ? "" : ", ", account,
                         opening.closed ? "closed" : "open", opening.cents, opening.cents);
    }
    BELAY_TRY(run(session, sql));
  }
  return run(session, "COMMIT");
}

Result<> found(const Settings& settings, BankId bank) {
  auto session = Session::connect(settings.files, bank);
  if (!session) return session.error();
  if (bank == BankId::b) {
    BELAY_TRY(run(*session, "CREATE DATABASE IF NOT EXISTS bank"));
    BELAY_TRY(run(*session, "USE bank"));
  }
  BELAY_TRY(run(*session, kAccounts));
  BELAY_TRY(run(*session,
                fmt::format(kPostings, bank == BankId::a ? "BIGSERIAL" : "BIGINT AUTO_INCREMENT")));
  const auto counted = session->ask("SELECT count(*) FROM accounts");
  if (!counted) return counted.error();
  const auto& count = counted->at(0).at(0);
  if (count == "0") return open_accounts(*session, bank, settings.accounts);
  if (count == std::to_string(settings.accounts)) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("{} has {} accounts already, not {}", settings.files.server(bank), count,
                           settings.accounts)};
}

Result<> copy_rows(Session& from, Database& to, const char* select, const char* insert) {
  const auto rows = from.ask(select);
  if (!rows) return rows.error();
  auto statement = to.prepare(insert);
  if (!statement) return statement.error();
  for (const auto& row : *rows) {
    if (!statement->with_all(row).run()) return to.error();
  }
  return {};
}

Result<> copy_book(const Files& files, BankId bank) {
  const auto path = files.bank(bank);
  std::filesystem::remove(path);
  auto session = Session::connect(files, bank);
  if (!session) return session.error();
  if (bank == BankId::b) BELAY_TRY(run(*session, "USE bank"));
  auto copy = Database::open(path, Database::Access::write);
  if (!copy) return copy.error();
  BELAY_TRY(copy->run("PRAGMA synchronous = OFF"));
  BELAY_TRY(Bank::create_tables(*copy));
  BELAY_TRY(copy->run("BEGIN"));
  BELAY_TRY(copy_rows(*session, *copy,
                      "SELECT account, state, opening_cents, balance_cents FROM accounts",
                      "INSERT INTO accounts VALUES (?, ?, ?, ?)"));
  BELAY_TRY(copy_rows(*session, *copy,
                      "SELECT gid, branch_id, op, account, cents FROM postings ORDER BY id",
                      "INSERT INTO postings (gid, branch_id, op, account, cents) "
                      "VALUES (?, ?, ?, ?, ?)"));
  BELAY_TRY(copy_rows(*session, *copy,
                      "SELECT trans_type, gid, branch_id, op, barrier_id, reason "
                      "FROM dtm_barrier.barrier",
                      "INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
                      "VALUES (?, ?, ?, ?, ?, ?)"));
  return copy->run("COMMIT");
}

class Servers final : public XaServers {
 public:
  explicit Servers(const Files& files)
      : files_(files), a_(options(BankId::a)), b_(options(BankId::b)) {}

  Result<> copy_books() override {
    BELAY_TRY(copy_book(files_, BankId::a));
    return copy_book(files_, BankId::b);
  }

  // Of anybody's: nobody else uses these servers.
  Result<std::size_t> prepared() override {
    std::size_t count = 0;
    for (const auto bank : {BankId::a, BankId::b}) {
      auto session = Session::connect(files_, bank);
      if (!session) return session.error();
      const auto rows =
          session->ask(bank == BankId::a ? "SELECT gid FROM pg_prepared_xacts" : "XA RECOVER");
      if (!rows) return rows.error();
      count += rows->size();
    }
    return count;
  }

 private:
  servers::ServerOptions options(BankId bank) const {
    return {.folder = files_.server(bank), .durable = true, .read_committed = true};
  }

  Files files_;
  servers::PostgresServer a_;
  servers::MariaDbServer b_;
};

// The servers of root run as somebody else, who must be able to go through here.
void let_through(const std::string& directory) {
  if (::geteuid() != 0) return;
  std::filesystem::permissions(directory, std::filesystem::perms::others_exec,
                               std::filesystem::perm_options::add);
}

std::string first_line(const std::exception& thrown) {
  const std::string text = thrown.what();
  return text.substr(0, text.find(';'));
}

}  // namespace

Result<std::unique_ptr<XaServers>> XaServers::start(const Settings& settings) {
  const auto& directory = settings.files.directory;
  if (!is_plain_path(directory)) {
    return Error{ErrorCode::misuse,
                 directory + " has spaces or quotes in it, which the servers cannot do with"};
  }
  std::unique_ptr<XaServers> servers;
  try {
    let_through(directory);
    servers = std::make_unique<Servers>(settings.files);
  } catch (const servers::NotInstalled&) {
    return Error{ErrorCode::unsupported,
                 "mode xa needs a PostgreSQL and a MariaDB server, and one is not installed"};
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::storage, fmt::format("{}; see the log below {}", first_line(thrown),
                                                 settings.files.directory)};
  }
  BELAY_TRY(found(settings, BankId::a));
  BELAY_TRY(found(settings, BankId::b));
  return servers;
}

}  // namespace belay::demo
