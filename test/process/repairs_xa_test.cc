// Goal: a prepared transaction in a real database whose transaction ended or is gone is found,
// explained and ended.
// Method: as in repairs_test.cc. A name that nobody registered keeps a branch prepared.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <utility>

#include "belay/xa.h"
#include "repairs_stage.h"
#include "servers/mariadb_server.h"
#include "servers/postgres_server.h"
#include "servers/sql.h"

namespace belay::test {
namespace {

using servers::Rows;

class Stock {
 public:
  Stock() {
    ask("CREATE SCHEMA shop");
    ask("CREATE TABLE shop.ledger (id varchar(64))");
  }
  std::string conninfo() const { return server_.conninfo(); }
  Rows ask(const std::string& sql) const {
    return *servers::ask(servers::connect_postgresql(conninfo())->get(), sql);
  }

 private:
  servers::PostgresServer server_;
};

class Bank {
 public:
  Bank() {
    ask("CREATE DATABASE shop");
    ask("CREATE TABLE shop.ledger (id varchar(64)) ENGINE = InnoDB");
  }
  std::string conninfo() const { return server_.conninfo(); }
  Rows ask(const std::string& sql) const {
    return *servers::ask(servers::connect_mariadb(server_.socket())->get(), sql);
  }

 private:
  servers::MariaDbServer server_;
};

// One each for the whole program.
Stock& stock() {
  static Stock one;
  return one;
}
Bank& bank() {
  static Bank one;
  return one;
}

template <class Database>
std::size_t entries(const Database& database, const std::string& id) {
  return database.ask("SELECT id FROM shop.ledger WHERE id = '" + id + "'").size();
}

std::size_t prepared(XaKind kind, const std::string& realm) {
  const auto conninfo = kind == XaKind::postgresql ? stock().conninfo() : bank().conninfo();
  return list_prepared(kind, conninfo, realm)->size();
}

Words with_stock(const std::string& realm) { return {"postgresql", realm, stock().conninfo()}; }
Words with_bank(const std::string& realm) { return {"mariadb", realm, bank().conninfo()}; }

Json step(const std::string& participant, const std::string& branch_id, const std::string& payload,
          const std::string& missing = {}) {
  const auto name = [&](const std::string& op) {
    return (op == missing ? "nobody." : participant + ".") + op;
  };
  return {{"branch_id", branch_id},
          {"prepare", participant + ".write"},
          {"commit", name("commit")},
          {"rollback", name("rollback")},
          {"payload", payload}};
}

Json xa(const std::string& gid, const std::vector<Json>& steps) {
  return {{"gid", gid}, {"mode", "xa"}, {"steps", steps}};
}

void check_waits(const Told& told, const std::string& op) {
  CHECK(told.stuck);
  CHECK(told.cause == "no handler named 'nobody." + op + "' is registered");
  CHECK(told.waits_for == "01 " + op + " nobody." + op);
  CHECK(told.answer.empty());
}

// The stop is kept, and what has run stays as it is.
void stop(RepairSite& site, const std::string& gid) {
  const auto stopped = site.decide(advised(site.told(gid), "stop"));
  CHECK(stopped.exit_code == 0);
  CHECK(contains(stopped.out, gid + " failed"));
  CHECK(site.remembers(gid, "stopped", kReason + " [" + kTicket + "]"));
  const auto summary = site.told(gid).summary;
  CHECK(contains(summary, "What has run stays as it is."));
  CHECK(contains(summary, "`belay xa orphans`"));
  CHECK(site.look({"stuck"}).out == "nothing is stuck\n");
}

Words to_stock(const std::string& realm) {
  return {"xa", "orphans", "--postgresql", stock().conninfo(), "--realm", realm};
}
Words to_bank(const std::string& realm) {
  return {"xa", "orphans", "--mariadb", bank().conninfo(), "--realm", realm};
}

Finished end(const RepairSite& site, Words orphans, const Words& how) {
  orphans.insert(orphans.end(), how.begin(), how.end());
  orphans.emplace_back("--yes");
  return site.look(std::move(orphans));
}

// "commit", "rollback" or "unknown"; "none" if it is not the only one that is listed.
std::string decision_in(const RepairSite& site, Words orphans, const std::string& xid) {
  orphans.emplace_back("--json");
  const auto line = Json::parse(site.look(std::move(orphans)).out, nullptr, false);
  if (!line.is_object() || line.at("xid") != xid) return "none";
  return line.at("decision");
}

// Committed in the bank, prepared in the stock; its program is dead, and a backup is older.
struct Halved {
  Halved(std::string its_realm, std::string its_gid)
      : realm(std::move(its_realm)), gid(std::move(its_gid)), site(Where::dead, both(realm)) {
    // The file is told of its realms just after the start.
    REQUIRE(until([this] { return site.look(to_stock(realm)).exit_code == 0; }));
    CHECK(site.look({"backup", backup}).exit_code == 0);
    site.stage(xa(gid, {step("stock", "01", gid, "commit"), step("bank", "02", gid)}));
    check_waits(site.told(gid), "commit");
  }
  static Words both(const std::string& realm) {
    auto words = with_stock(realm);
    for (auto& word : with_bank(realm)) words.push_back(std::move(word));
    return words;
  }
  void end_by(Words how) const {
    auto orphans = to_stock(realm);
    if (how.front() == "--state-lost") orphans.push_back(how.front());
    CHECK(decision_in(site, orphans, xid) == "unknown");
    CHECK(entries(stock(), gid) == 0);
    CHECK(entries(bank(), gid) == 1);  // so it was decided to commit
    how.insert(how.end(), {"--commit", "--xid", xid});
    CHECK(end(site, to_stock(realm), how).out == "1 committed\n");
    CHECK(prepared(XaKind::postgresql, realm) == 0);
    CHECK(prepared(XaKind::mariadb, realm) == 0);
    CHECK(entries(stock(), gid) == 1);
    CHECK(entries(bank(), gid) == 1);
  }

  std::string realm;
  std::string gid;
  RepairSite site;
  std::string backup = site.db() + ".backup";
  std::string xid = xid_of(realm, gid, "01");
};

}  // namespace

TEST_SUITE("process/repairs: an orphaned branch in a database") {
  TEST_CASE("in a program: its transaction failed and was stopped, and it is rolled back") {
    const std::string realm = "in-a-program", gid = "order-4a";
    RepairSite site(Where::embedded, with_stock(realm));
    site.stage(xa(gid, {step("stock", "01", gid, "rollback"), step("stock", "02", "refuse")}));
    check_waits(site.told(gid), "rollback");
    CHECK(site.look(to_stock(realm)).out == "no orphans\n");  // the engine still has it
    stop(site, gid);
    CHECK(prepared(XaKind::postgresql, realm) == 1);
    CHECK(decision_in(site, to_stock(realm), xid_of(realm, gid, "01")) == "rollback");
    CHECK(end(site, to_stock(realm), {"--rollback"}).out == "1 rolled back\n");
    CHECK(prepared(XaKind::postgresql, realm) == 0);
    CHECK(entries(stock(), gid) == 0);
  }

  TEST_CASE("on a server: its commit was decided, and it is committed") {
    const std::string realm = "on-a-server", gid = "order-4b";
    RepairSite site(Where::served, with_bank(realm));
    site.stage_in_file(xa(gid, {step("bank", "01", gid, "commit")}));
    site.end_program(SIGTERM);
    site.run_server();
    check_waits(site.told(gid), "commit");
    stop(site, gid);
    CHECK(entries(bank(), gid) == 0);
    CHECK(decision_in(site, to_bank(realm), xid_of(realm, gid, "01")) == "commit");
    CHECK(end(site, to_bank(realm), {"--commit"}).out == "1 committed\n");
    CHECK(prepared(XaKind::mariadb, realm) == 0);
    CHECK(entries(bank(), gid) == 1);
  }

  TEST_CASE("on a dead file: its commit was decided, and it is committed") {
    const std::string realm = "on-a-dead-file", gid = "order-4c";
    RepairSite site(Where::dead, with_stock(realm));
    site.stage(xa(gid, {step("stock", "01", gid, "commit")}));
    const auto told = site.told(gid);
    check_waits(told, "commit");
    CHECK(told.engine.empty());
    stop(site, gid);
    CHECK(decision_in(site, to_stock(realm), xid_of(realm, gid, "01")) == "commit");
    CHECK(end(site, to_stock(realm), {"--commit"}).out == "1 committed\n");
    CHECK(prepared(XaKind::postgresql, realm) == 0);
    CHECK(entries(stock(), gid) == 1);
  }

  TEST_CASE("of a file that is gone: the other database tells, and it is committed") {
    Halved one("file-gone", "order-4d");
    for (const auto* name : {"", "-wal", "-shm"}) std::filesystem::remove(one.site.db() + name);
    CHECK(one.site.look({"why", one.gid}).exit_code == 3);
    one.end_by({"--state-lost"});
  }

  TEST_CASE("of a file that a backup took the place of: the other database tells, likewise") {
    Halved one("old-backup", "order-4e");
    for (const auto* name : {"-wal", "-shm"}) std::filesystem::remove(one.site.db() + name);
    std::filesystem::rename(one.backup, one.site.db());
    CHECK(one.site.look({"why", one.gid}).exit_code == 3);
    CHECK(one.site.look({"stuck"}).out == "nothing is stuck\n");
    const auto refused = end(one.site, to_stock(one.realm), {"--commit", "--xid", one.xid});
    CHECK(refused.exit_code == 4);
    CHECK(contains(refused.err, "look whether its other branches are committed"));
    one.end_by({"--unknown"});
  }
}

}  // namespace belay::test
