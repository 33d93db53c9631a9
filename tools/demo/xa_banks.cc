#include "demo/xa_banks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <filesystem>
#include <optional>

#include "belay/barrier.h"
#include "belay/xa.h"
#include "servers/mariadb_server.h"
#include "servers/postgres_server.h"

namespace belay::demo {
namespace {

// At most so many branches of a bank are prepared at one moment; the others wait for a connection
// instead of for a lock.
constexpr unsigned kConnections = 12;

// What the audit reads, in the order of each table's columns.
constexpr std::array<const char*, 3> kCopied = {
    "accounts (account, state, opening_cents, balance_cents)",
    "postings (gid, branch_id, op, account, cents)",
    "barrier (trans_type, gid, branch_id, op, barrier_id, reason)"};

// A client's own parameters would be another thing in each: the text is what both take.
std::string with_values(std::string_view sql, std::span<const Value> values) {
  std::string text;
  auto value = values.begin();
  for (const char c : sql) {
    if (c != '?') {
      text += c;
    } else if (const auto* number = std::get_if<std::int64_t>(&*value++)) {
      text += std::to_string(*number);
    } else {
      text += fmt::format("'{}'", std::get<std::string_view>(value[-1]));
    }
  }
  return text;
}

template <class Database>
Books books_on(Database* database, std::string_view row_number) {
  const auto run = [database](const std::string& sql) { return servers::ask(database, sql); };
  const auto ask = [run](const char* sql, std::span<const Value> values) {
    return run(with_values(sql, values));
  };
  return {run, ask, row_number, true};
}
Books books_of(pg_conn* database) { return books_on(database, "BIGSERIAL"); }
Books books_of(st_mysql* database) { return books_on(database, "BIGINT AUTO_INCREMENT"); }

template <class Database>
Outcome perform_xa(const Call& call, Database* database, void* side) {
  const auto leg = leg_of(call, *static_cast<const Side*>(side), Mode::xa);
  if (!is_plain(leg.gid)) return Outcome::failure("no transfer of the demo's");
  return perform(books_of(database), leg);
}

class XaBanks final : public Banks {
 public:
  explicit XaBanks(const Files& files) : files_(files) {}

  Result<> serve(Engine& engine) override {
    const XaOptions options{.connections_max = kConnections};
    auto a =
        XaDatabase::postgresql(engine, name_of(BankId::a), files_.conninfo(BankId::a), options);
    if (!a) return a.error();
    auto b = XaDatabase::mariadb(engine, name_of(BankId::b), files_.conninfo(BankId::b), options);
    if (!b) return b.error();
    a_ = std::move(*a);
    b_ = std::move(*b);
    BELAY_TRY(a_->handle("debit", &perform_xa<pg_conn>, &debit_));
    BELAY_TRY(a_->handle("credit", &perform_xa<pg_conn>, &credit_));
    BELAY_TRY(b_->handle("debit", &perform_xa<st_mysql>, &debit_));
    return b_->handle("credit", &perform_xa<st_mysql>, &credit_);
  }

  // Bank a first, whoever pays: two transfers that lock the same two accounts in opposite order
  // would wait for each other.
  Result<> submit(Engine& engine, const Transfer& transfer, ReportCallback done) override {
    const bool a_pays = transfer.from.bank == BankId::a;
    const auto& at_a = a_pays ? transfer.from : transfer.to;
    const auto& at_b = a_pays ? transfer.to : transfer.from;
    Xa xa(gid_of(transfer));
    xa.in_order().wait_result().custom_data(transfer.memo);
    xa.branch(a_->branch(a_pays ? "debit" : "credit", payload_of(at_a.account, transfer.cents)));
    xa.branch(b_->branch(a_pays ? "credit" : "debit", payload_of(at_b.account, transfer.cents)));
    return engine.submit(xa, std::move(done));
  }

 private:
  Files files_;
  Side debit_ = Side::debit;
  Side credit_ = Side::credit;
  std::optional<XaDatabase> a_;
  std::optional<XaDatabase> b_;
};

Result<std::string> copy_table(const Books& books, const std::string& table) {
  const auto columns = table.substr(table.find('(') + 1, table.size() - table.find('(') - 2);
  const auto name = table.substr(0, table.find(' '));
  const auto source = name == "barrier" ? std::string(kBarrierTable) : name;
  const auto rows = books.run(fmt::format("SELECT {} FROM {}", columns, source));
  if (!rows) return rows.error();
  std::string sql;
  for (const auto& row : *rows) {
    std::string values;
    for (const auto& value : row) {
      values += values.empty() ? "'" : ", '";
      for (const char byte : value) values.append(byte == '\'' ? 2 : 1, byte);
      values += '\'';
    }
    sql += fmt::format("INSERT INTO {} VALUES ({});\n", table, values);
  }
  return sql;
}

class Servers final : public XaServers {
 public:
  explicit Servers(const Files& files)
      : files_(files), a_(options(BankId::a)), b_(options(BankId::b)) {}

  Result<> connect(const RunSettings& settings) {
    auto a = servers::connect_postgresql(files_.conninfo(BankId::a));
    if (!a) return a.error();
    auto b = servers::connect_mariadb(b_.socket());
    if (!b) return b.error();
    connection_a_ = std::move(*a);
    connection_b_ = std::move(*b);
    // Or the client would print that a table is there already.
    const auto quiet = books(BankId::a).run("SET client_min_messages = warning");
    if (!quiet) return quiet.error();
    for (const auto* sql : {"CREATE DATABASE IF NOT EXISTS bank", "USE bank"}) {
      if (const auto ran = books(BankId::b).run(sql); !ran) return ran.error();
    }
    for (const auto bank : kBankIds) {
      BELAY_TRY(found(books(bank), bank, settings.accounts, files_.server(bank)));
    }
    return {};
  }

  Result<> copy_books() override {
    for (const auto bank : kBankIds) BELAY_TRY(copy_books(bank));
    return {};
  }

  // Of anybody's: nobody else uses these servers.
  Result<std::size_t> prepared() override {
    const auto at_a = books(BankId::a).run("SELECT gid FROM pg_prepared_xacts");
    if (!at_a) return at_a.error();
    const auto at_b = books(BankId::b).run("XA RECOVER");
    if (!at_b) return at_b.error();
    return at_a->size() + at_b->size();
  }

 private:
  servers::ServerOptions options(BankId bank) const {
    return {.folder = files_.server(bank), .durable = true, .read_committed = true};
  }
  Books books(BankId bank) const {
    return bank == BankId::a ? books_of(connection_a_.get()) : books_of(connection_b_.get());
  }
  Result<> copy_books(BankId bank) {
    const auto path = files_.bank(bank);
    std::filesystem::remove(path);
    const auto copy = Bank::open(path, bank, 0);
    if (!copy) return copy.error();
    std::string sql = "PRAGMA synchronous = OFF; BEGIN;";
    for (const auto* table : kCopied) {
      const auto rows = copy_table(books(bank), table);
      if (!rows) return rows.error();
      sql += *rows;
    }
    auto database = Sqlite::open(path, Sqlite::Access::write);
    if (!database) return database.error();
    const auto copied = database->ask(sql + "COMMIT");
    return copied ? Result<>() : Result<>(copied.error());
  }

  Files files_;
  servers::PostgresServer a_;
  servers::MariaDbServer b_;
  servers::PgConnection connection_a_;
  servers::MariaDbConnection connection_b_;
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

Result<std::unique_ptr<XaServers>> XaServers::start(const RunSettings& settings) {
  auto plain = settings.files.directory;
  std::erase(plain, '/');
  if (!is_plain(plain)) {
    return Error{ErrorCode::misuse, settings.files.directory +
                                        " has spaces or quotes in it, which the servers cannot do "
                                        "with"};
  }
  std::unique_ptr<Servers> servers;
  try {
    let_through(settings.files.directory);
    servers = std::make_unique<Servers>(settings.files);
  } catch (const servers::NotInstalled&) {
    return Error{ErrorCode::unsupported,
                 "mode xa needs a PostgreSQL and a MariaDB server, and one is not installed"};
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::storage, fmt::format("{}; see the log below {}", first_line(thrown),
                                                 settings.files.directory)};
  }
  BELAY_TRY(servers->connect(settings));
  return std::unique_ptr<XaServers>(std::move(servers));
}

Result<std::unique_ptr<Banks>> open_xa_banks(const RunSettings& settings) {
  return std::unique_ptr<Banks>(std::make_unique<XaBanks>(settings.files));
}

}  // namespace belay::demo
