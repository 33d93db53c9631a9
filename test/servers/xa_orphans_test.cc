// belay xa orphans, against both databases: what it shows, what it ends, what it refuses.
#include <belay/belay.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>

#include "servers/xa_database.h"
#include "support/process.h"

namespace belay::test {
namespace {

// Writes the payload into the ledger; says no to "refuse".
template <class Database>
Outcome write_or_refuse(const Call& call, Database* database, void*) {
  if (call.payload == "refuse") return Outcome::failure("not here");
  std::string sql = fmt::format("INSERT INTO shop.ledger VALUES ('{}')", call.payload);
  return run_sql(call, database, &sql);
}

Options quick_retries() {
  Options options;
  options.retry.first_interval = Millis(50);
  options.retry.interval_max = Millis(500);
  return options;
}

std::string fresh_orphan_id() {
  static int number = 0;
  return fmt::format("orphan-{}", ++number);
}

Finished belay_command(std::vector<std::string> arguments) {
  const char* program = std::getenv("BELAY_PROGRAM");
  REQUIRE(program != nullptr);
  arguments.insert(arguments.begin(), program);
  return run({.argv = std::move(arguments)});
}

// One database with one prepared transaction of each kind that an operator may find.
class OrphanSite {
 public:
  explicit OrphanSite(XaKind kind)
      : server_(xa_server(kind)), engine_(*Engine::open(path(), quick_retries())) {
    const bool is_postgresql = kind == XaKind::postgresql;
    option_ = is_postgresql ? "--postgresql" : "--mariadb";
    auto database = is_postgresql ? XaDatabase::postgresql(engine_, "a", server_.conninfo())
                                  : XaDatabase::mariadb(engine_, "a", server_.conninfo());
    REQUIRE(database);
    database_ = std::make_unique<XaDatabase>(std::move(*database));
    if (is_postgresql) {
      REQUIRE(database_->handle("write", write_or_refuse<pg_conn>, &server_));
    } else {
      REQUIRE(database_->handle("write", write_or_refuse<st_mysql>, &server_));
    }
    REQUIRE(engine_.start());
    // Nobody registers nobody.*: these stand still with their branches prepared.
    decide("alive-" + id_, {{"a.write", "nobody.commit", "a.rollback", "alive-" + id_}});
    decide("halved-" + id_, {{"a.write", "nobody.commit", "a.rollback", "halved-" + id_}});
    stop("halved-" + id_);
    decide("failed-" + id_, {{"a.write", "a.commit", "nobody.rollback", "failed-" + id_},
                             {"a.write", "a.commit", "a.rollback", "refuse"}});
    stop("failed-" + id_);
    // A gid beyond what a xid can hold.
    decide(long_gid(), {{"a.write", "nobody.commit", "a.rollback", "digest-" + id_}});
    stop(long_gid());
    // In MariaDB only the connection that prepared may end it while that is open.
    static_cast<void>(engine_.close());
    database_.reset();
    prepare_unknown();
    server_.end_connections();
  }
  ~OrphanSite() {
    for (const auto& gid : {"alive-" + id_, "lost-" + id_}) {
      xa::roll_back(*server_.session(), {xa::make_xid("a", gid, "01"), {gid, "01", "a"}});
    }
  }

  Finished ask(std::vector<std::string> more) const {
    std::vector<std::string> all{"xa",      "orphans", option_, server_.conninfo(),
                                 "--realm", "a",       "--db",  path()};
    all.insert(all.end(), more.begin(), more.end());
    return belay_command(all);
  }
  Finished ask_lost(std::vector<std::string> more, std::string_view realm = "a") const {
    std::vector<std::string> all{"xa",      "orphans",          option_,       server_.conninfo(),
                                 "--realm", std::string(realm), "--state-lost"};
    all.insert(all.end(), more.begin(), more.end());
    return belay_command(all);
  }
  std::string xid(std::string_view name) const {
    return xid_of("a", std::string(name) + "-" + id_, "01");
  }
  std::string long_xid() const { return xid_of("a", long_gid(), "01"); }
  std::string path() const { return dir_.file("state.db"); }
  bool ledger_has(std::string_view name) const {
    return server_.ledger_has(std::string(name) + "-" + id_);
  }
  XaServer& server() { return server_; }
  const std::string& option() const { return option_; }

 private:
  std::string long_gid() const { return std::string(100, 'g') + id_; }

  // Until its branches are as far as they get.
  void decide(const std::string& gid, const std::vector<TwoPhaseBranch>& branches) {
    Xa xa(gid);
    for (const auto& branch : branches) xa.branch(branch);
    REQUIRE(engine_.submit(xa));
    for (bool parked = false; !parked;) {
      auto reader = Reader::open(path());
      REQUIRE(reader);
      const auto whole = reader->read(gid);
      REQUIRE(whole);
      for (const auto& row : whole->branches) parked = parked || row.status == "parked";
    }
  }
  void stop(const std::string& gid) {
    const auto report = engine_.force_stop(gid, "an operator in a hurry");
    REQUIRE(report);
    CHECK(report->status() == Status::failed);
  }
  void prepare_unknown() {
    const auto gid = "lost-" + id_;
    const xa::Branch branch{xa::make_xid("a", gid, "01"), {gid, "01", "a"}};
    const auto prepared =
        xa::prepare(*server_.session(), branch, [](xa::Session&) { return Outcome::success(); });
    CHECK(prepared.kind() == OutcomeKind::success);
  }

  TempDir dir_;
  XaServer& server_;
  Engine engine_;
  std::unique_ptr<XaDatabase> database_;
  std::string option_;
  std::string id_ = fresh_orphan_id();
};

}  // namespace

TEST_CASE("orphans are shown with what the state file says of each") {
  for (const auto kind : {XaKind::postgresql, XaKind::mariadb}) {
    OrphanSite site(kind);
    CHECK(site.server().prepared() == 5);
    const auto seen = site.ask({});
    CHECK(seen.exit_code == 0);
    CHECK_FALSE(contains(seen.out, site.xid("alive")));
    CHECK(contains(seen.out, "2 to --commit, 1 to --rollback, 1 unknown"));
    const auto json = site.ask({"--json"});
    const auto line = [](const std::string& xid, const char* decision) {
      return fmt::format(R"("xid":"{}","decision":"{}")", xid, decision);
    };
    CHECK(contains(json.out, line(site.xid("halved"), "commit")));
    CHECK(contains(json.out, line(site.long_xid(), "commit")));
    CHECK(contains(json.out, line(site.xid("failed"), "rollback")));
    CHECK(contains(json.out, line(site.xid("lost"), "unknown")));
    CHECK(site.server().prepared() == 5);

    site.ask({"--commit", "--yes"});
    site.ask({"--rollback", "--unknown", "--yes"});
  }
}

TEST_CASE("a decided commit is never rolled back, and can be committed") {
  for (const auto kind : {XaKind::postgresql, XaKind::mariadb}) {
    OrphanSite site(kind);
    CHECK(site.ask({"--rollback"}).exit_code == 2);  // nobody to ask
    CHECK(site.ask({"--rollback", "--commit", "--yes"}).exit_code == 2);
    CHECK(site.ask({"--rollback", "--yes", "--xid", site.xid("halved")}).exit_code == 4);
    CHECK(site.ask({"--rollback", "--yes", "--xid", site.long_xid()}).exit_code == 4);
    CHECK(site.ask({"--commit", "--yes", "--xid", site.xid("failed")}).exit_code == 4);
    CHECK(site.ask({"--commit", "--yes", "--unknown", "--xid", site.xid("alive")}).exit_code == 4);
    CHECK(site.ask({"--rollback", "--yes", "--xid", site.xid("lost")}).exit_code == 4);
    CHECK(site.ask({"--rollback", "--yes", "--xid", site.xid("nowhere")}).exit_code == 3);
    CHECK(site.server().prepared() == 5);

    const auto rolled_back = site.ask({"--rollback", "--yes", "--json"});
    CHECK(rolled_back.exit_code == 0);
    CHECK(contains(rolled_back.out, site.xid("failed")));
    CHECK(contains(rolled_back.out, "\"rolled_back\":true"));
    CHECK(site.server().prepared() == 4);
    CHECK(site.ask({"--rollback", "--yes"}).exit_code == 0);
    CHECK(site.server().prepared() == 4);

    CHECK(site.ask({"--commit", "--yes"}).exit_code == 0);
    CHECK(site.server().prepared() == 2);
    CHECK(site.ledger_has("halved"));
    CHECK(site.ledger_has("digest"));
    CHECK_FALSE(site.ledger_has("failed"));

    CHECK(site.ask({"--rollback", "--yes", "--unknown"}).exit_code == 0);
    CHECK(site.server().prepared() == 1);
    CHECK(site.ask({}).out == "no orphans\n");
  }
}

TEST_CASE("orphans are not looked for with the wrong realm or the wrong file") {
  for (const auto kind : {XaKind::postgresql, XaKind::mariadb}) {
    OrphanSite site(kind);
    TempDir dir;
    const auto other = dir.file("other.db");
    REQUIRE(Engine::open(other));
    const auto with = [&site](std::vector<std::string> more) {
      more.insert(more.begin(), {"xa", "orphans", site.option(), site.server().conninfo()});
      return belay_command(more);
    };
    const auto misspelt = with({"--realm", "b", "--rollback", "--yes", "--db", site.path()});
    CHECK(misspelt.exit_code == 3);
    CHECK(contains(misspelt.err, kind == XaKind::postgresql ? "a (postgresql)" : "a (mariadb)"));
    CHECK(with({"--realm", "a", "--rollback", "--yes", "--db", other}).exit_code == 3);
    CHECK(with({"--realm", "a", "--rollback", "--yes", "--db", dir.file("no.db")}).exit_code == 3);
    CHECK(with({"--realm", "a", "--rollback", "--yes"}).exit_code == 2);
    CHECK(with({"--realm", "a", "--db", site.path(), "--state-lost"}).exit_code == 2);
    CHECK(belay_command({"xa", "orphans", "--realm", "a", "--db", site.path()}).exit_code == 2);
    const auto* nowhere = kind == XaKind::postgresql ? "host=/nowhere" : "socket=/nowhere/s";
    CHECK(belay_command(
              {"xa", "orphans", site.option(), nowhere, "--realm", "a", "--db", site.path()})
              .exit_code == 1);
    CHECK(site.server().prepared() == 5);
    site.ask({"--commit", "--yes"});
    site.ask({"--rollback", "--unknown", "--yes"});
  }
}

TEST_CASE("orphans of a state file that is gone can be ended by hand") {
  for (const auto kind : {XaKind::postgresql, XaKind::mariadb}) {
    OrphanSite site(kind);
    CHECK(contains(site.ask_lost({}).out, "0 to --commit, 0 to --rollback, 5 unknown"));
    CHECK(site.ask_lost({}, "b").exit_code == 3);  // a misspelt realm is no answer
    CHECK(site.ask_lost({"--rollback"}).exit_code == 2);
    const auto young = site.ask_lost({"--older-than", "1h", "--rollback", "--yes"});
    CHECK(young.exit_code == (kind == XaKind::postgresql ? 0 : 2));
    CHECK(site.server().prepared() == 5);
    CHECK(
        site.ask_lost({"--commit", "--yes", "--xid", site.xid("halved"), "--xid", site.long_xid()})
            .exit_code == 0);
    CHECK(site.ledger_has("halved"));
    CHECK(site.ask_lost(
                  {"--rollback", "--yes", "--xid", site.xid("failed"), "--xid", site.xid("lost")})
              .exit_code == 0);
    CHECK(site.server().prepared() == 1);
  }
}

}  // namespace belay::test
