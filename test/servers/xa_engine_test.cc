// XA transactions of a real engine across both databases, and what is left when one goes missing.
#include <belay/belay.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <signal.h>

#include <future>

#include "servers/xa_database.h"
#include "support/process.h"

namespace belay::test {
namespace {

using std::chrono::steady_clock;

// Writes the payload into the ledger; says no to "refuse", and does not come back from "endless".
template <class Database>
Outcome write_ledger(const Call& call, Database* database, void* user) {
  if (call.payload == "refuse") return Outcome::failure("not here");
  std::string sql = fmt::format("INSERT INTO shop.ledger VALUES ('{}')", call.payload);
  if (call.payload == "endless") sql = static_cast<const XaServer*>(user)->endless_sql();
  if (call.payload == "same") sql = "UPDATE shop.counter SET n = n + 1";
  return run_sql(call, database, &sql);
}

Options quick() {
  Options options;
  options.retry.first_interval = Millis(50);
  options.retry.interval_max = Millis(500);
  options.request_timeout = Millis(3'000);
  return options;
}

// An engine with both databases as "stock" and "bank".
class Site {
 public:
  explicit Site(const XaOptions& options = {}) : engine_(*Engine::open(path(), quick())) {
    auto stock = XaDatabase::postgresql(engine_, "stock", postgresql_.conninfo(), options);
    auto bank = XaDatabase::mariadb(engine_, "bank", mariadb_.conninfo(), options);
    REQUIRE(stock);
    REQUIRE(bank);
    stock_ = std::make_unique<XaDatabase>(std::move(*stock));
    bank_ = std::make_unique<XaDatabase>(std::move(*bank));
    REQUIRE(stock_->handle("write", write_ledger<pg_conn>, &postgresql_));
    REQUIRE(bank_->handle("write", write_ledger<st_mysql>, &mariadb_));
    REQUIRE(engine_.start());
  }
  ~Site() { static_cast<void>(engine_.close()); }

  Result<Report> run(const std::string& stock, const std::string& bank,
                     Millis timeout = Millis(30'000), std::string gid = new_gid()) {
    return engine_.run(Xa(std::move(gid))
                           .branch(stock_->branch("write", stock))
                           .branch(bank_->branch("write", bank))
                           .timeout_to_fail(timeout));
  }
  bool nothing_prepared() const { return postgresql_.prepared() + mariadb_.prepared() == 0; }
  int in_ledgers(const std::string& id) const {
    return int{postgresql_.ledger_has(id)} + int{mariadb_.ledger_has(id)};
  }
  std::string path() const { return dir_.file("state.db"); }
  Engine& engine() { return engine_; }
  XaServer& postgresql() { return postgresql_; }
  XaServer& mariadb() { return mariadb_; }
  XaDatabase& stock() { return *stock_; }

 private:
  TempDir dir_;
  XaServer& postgresql_ = xa_server(XaKind::postgresql);
  XaServer& mariadb_ = xa_server(XaKind::mariadb);
  // Destroyed after the databases, closed before them.
  Engine engine_;
  std::unique_ptr<XaDatabase> stock_;
  std::unique_ptr<XaDatabase> bank_;
};

std::string fresh_id() {
  static int number = 0;
  return fmt::format("engine-{}", ++number);
}

void make_counters(Site& site) {
  for (auto* server : {&site.postgresql(), &site.mariadb()}) {
    server->ask("DROP TABLE IF EXISTS shop.counter");
    server->ask("CREATE TABLE shop.counter (n int)");
    server->ask("INSERT INTO shop.counter VALUES (0)");
  }
}

// Backends that work on the endless statement, stopped in the midst of it.
class StoppedBackend {
 public:
  StoppedBackend() = default;
  StoppedBackend(const StoppedBackend&) = delete;
  StoppedBackend& operator=(const StoppedBackend&) = delete;
  ~StoppedBackend() {
    for (const auto pid : pids_) {
      ::kill(pid, SIGCONT);
      ::kill(pid, SIGTERM);
    }
  }

  void stop(const XaServer& server) {
    const auto deadline = steady_clock::now() + std::chrono::seconds(20);
    std::string pid;
    while (pid.empty() && steady_clock::now() < deadline) {
      pid = server.ask(
          "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT "
          "pg_sleep%' "
          "ORDER BY query_start DESC");
    }
    REQUIRE_FALSE(pid.empty());
    pids_.push_back(std::stoi(pid));
    REQUIRE(::kill(pids_.back(), SIGSTOP) == 0);
  }

 private:
  std::vector<pid_t> pids_;
};

}  // namespace

TEST_CASE("a transaction across both databases is in both") {
  Site site;
  const auto id = fresh_id();
  const auto report = site.run(id, id);
  REQUIRE(report);
  CHECK(report->succeeded());
  CHECK(site.in_ledgers(id) == 2);
  CHECK(site.nothing_prepared());
}

TEST_CASE("two engines with realms of their own use one gid in the same databases") {
  Site one({.realm = "one"}), two({.realm = "two"});
  const auto gid = fresh_id();
  for (auto* site : {&one, &two}) {
    const auto id = fresh_id();
    const auto report = site->run(id, id, Millis(10'000), gid);
    REQUIRE(report);
    CHECK(report->succeeded());
    CHECK(site->in_ledgers(id) == 2);
  }
  CHECK(one.nothing_prepared());
}

TEST_CASE("a branch that refuses takes the other one back") {
  Site site;
  const auto id = fresh_id();
  for (const bool first : {true, false}) {
    const auto report = site.run(first ? "refuse" : id, first ? id : "refuse");
    REQUIRE(report);
    CHECK(report->status() == Status::failed);
    CHECK(report->reason().find("not here") != std::string::npos);
    CHECK(site.in_ledgers(id) == 0);
    CHECK(site.nothing_prepared());
  }
}

TEST_CASE("a branch that takes too long takes the other one back") {
  Site site;
  const auto id = fresh_id();
  for (const bool first : {true, false}) {
    const auto report = site.run(first ? "endless" : id, first ? id : "endless", Millis(500));
    REQUIRE(report);
    CHECK(report->status() == Status::failed);
    CHECK(site.in_ledgers(id) == 0);
    CHECK(site.nothing_prepared());
  }
}

TEST_CASE("more transactions than connections all end, also on one row") {
  XaOptions options;
  options.connections_max = 2;
  Site site(options);
  make_counters(site);
  constexpr int kTransactions = 20;
  std::vector<std::future<bool>> runs;
  for (int i = 0; i < kTransactions; ++i) {
    runs.push_back(std::async(std::launch::async, [&site, i] {
      const auto own = fmt::format("crowd-{}", i);
      const auto report = i % 4 == 0 ? site.run("same", "same", Millis(3'000)) : site.run(own, own);
      return report && report->finished();
    }));
  }
  for (auto& one : runs) CHECK(one.get());
  CHECK(site.nothing_prepared());
  const std::string sql = "SELECT n FROM shop.counter";
  CHECK(site.postgresql().ask(sql) == site.mariadb().ask(sql));
  for (int i = 0; i < kTransactions; ++i) {
    CHECK(site.in_ledgers(fmt::format("crowd-{}", i)) != 1);
  }
}

TEST_CASE("connections that the database closed are made anew without a word") {
  Site site;
  for (int i = 0; i < 3; ++i) {
    const auto id = fresh_id();
    const auto report = site.run(id, id, Millis(5'000));
    REQUIRE(report);
    CHECK(report->succeeded());
    site.postgresql().end_connections();
    site.mariadb().end_connections();
  }
}

TEST_CASE("a database that is killed and comes back lets the transactions end") {
  Site site;
  for (auto* server : {&site.postgresql(), &site.mariadb()}) {
    const auto id = fresh_id();
    auto report = std::async(std::launch::async, [&] { return site.run(id, id); });
    server->kill9();
    server->restart();
    REQUIRE(report.get());
    const int rows = site.in_ledgers(id);
    CHECK((rows == 0 || rows == 2));
    CHECK(site.nothing_prepared());
  }
}

TEST_CASE("a connection that answers no more is given up, and closing does not wait for it") {
  const auto began = steady_clock::now();
  StoppedBackend stopped;
  {
    XaOptions options;
    options.connections_max = 1;
    Site site(options);
    const Xa hanging = Xa().branch(site.stock().branch("write", "endless"))
                           .request_timeout(Millis(2'000))
                           .timeout_to_fail(Millis(1));
    REQUIRE(site.engine().submit(hanging));
    stopped.stop(site.postgresql());
    const auto id = fresh_id();
    const auto report = site.run(id, id);
    REQUIRE(report);
    CHECK(report->succeeded());
    CHECK(site.in_ledgers(id) == 2);

    REQUIRE(site.engine().submit(hanging));
    stopped.stop(site.postgresql());
  }
  CHECK(steady_clock::now() - began < std::chrono::seconds(30));
}

TEST_CASE("wrong settings are told at once") {
  TempDir dir;
  auto engine = *Engine::open(dir.file("state.db"));
  const auto conninfo = xa_server(XaKind::postgresql).conninfo();
  const auto code_of = [&](std::string_view name, const XaOptions& options) {
    const auto made = XaDatabase::postgresql(engine, name, conninfo, options);
    REQUIRE_FALSE(made);
    return made.error().code;
  };
  CHECK(code_of("Stock", {}) == ErrorCode::invalid_argument);
  CHECK(code_of("stock", {.realm = "a.b"}) == ErrorCode::invalid_argument);
  CHECK(code_of("stock", {.connections_max = 0}) == ErrorCode::invalid_argument);
  CHECK(code_of("stock", {.connections_max = 257}) == ErrorCode::invalid_argument);
  CHECK(code_of("stock", {.connect_timeout = Millis(0)}) == ErrorCode::invalid_argument);
  CHECK(code_of("stock", {.connect_timeout = Millis(3'600'001)}) == ErrorCode::invalid_argument);
  CHECK(code_of("stock", {.lock_timeout = Millis(3'600'001)}) == ErrorCode::invalid_argument);
  const auto nobody = XaDatabase::postgresql(engine, "stock", "host=/nowhere");
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().code == ErrorCode::storage);
  const auto odd = XaDatabase::mariadb(engine, "stock", "hots=x");
  REQUIRE_FALSE(odd);
  CHECK(odd.error().code == ErrorCode::invalid_argument);

  auto stock = XaDatabase::postgresql(engine, "stock", conninfo);
  REQUIRE(stock);
  const auto other_kind = stock->handle("write", write_ledger<st_mysql>);
  REQUIRE_FALSE(other_kind);
  CHECK(other_kind.error().code == ErrorCode::misuse);
  CHECK_FALSE(stock->handle("commit", write_ledger<pg_conn>));
  const auto no_work = stock->handle("write", PgWork(nullptr));
  REQUIRE_FALSE(no_work);
  CHECK(no_work.error().code == ErrorCode::invalid_argument);
  static_cast<void>(engine.close());
}

}  // namespace belay::test
