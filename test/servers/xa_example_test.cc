// The example xa_transfer, run as a newcomer would, against both databases.
#include <doctest/doctest.h>

#include <cstdlib>

#include "servers/xa_database.h"
#include "support/process.h"

namespace belay::test {
namespace {

class Banks {
 public:
  Banks() : postgresql_(xa_server(XaKind::postgresql)), mariadb_(xa_server(XaKind::mariadb)) {
    for (auto* server : {&postgresql_, &mariadb_}) {
      const auto table = table_of(*server);
      server->ask("DROP TABLE IF EXISTS " + table);
      server->ask("CREATE TABLE " + table +
                  " (name varchar(20) PRIMARY KEY, balance int NOT NULL)");
    }
    postgresql_.ask("INSERT INTO accounts VALUES ('alice', 100)");
    mariadb_.ask("INSERT INTO shop.accounts VALUES ('bob', 5)");
  }

  Finished transfer(const std::string& amount, const std::string& id) const {
    const char* program = std::getenv("BELAY_XA_TRANSFER");
    REQUIRE(program != nullptr);
    return run({.argv = {program, dir_.file("state.db"), postgresql_.conninfo(),
                         mariadb_.conninfo() + " database=shop", amount, id}});
  }
  void close_bobs_account() const { mariadb_.ask("DELETE FROM shop.accounts"); }
  std::string alices() const { return postgresql_.ask("SELECT balance FROM accounts"); }
  std::string bobs() const { return mariadb_.ask("SELECT balance FROM shop.accounts"); }
  std::size_t prepared() const { return postgresql_.prepared() + mariadb_.prepared(); }

 private:
  static std::string table_of(const XaServer& server) {
    return server.kind() == XaKind::mariadb ? "shop.accounts" : "accounts";
  }

  XaServer& postgresql_;
  XaServer& mariadb_;
  TempDir dir_;
};

}  // namespace

TEST_CASE("the example moves money from one database to the other, once per id") {
  const Banks banks;
  for (int turn = 0; turn < 2; ++turn) {
    const auto done = banks.transfer("30", "moved");
    CHECK(done.out == "moved succeed \n");
    CHECK(done.err.empty());
    CHECK(done.exit_code == 0);
  }
  CHECK(banks.alices() == "70");
  CHECK(banks.bobs() == "35");
  CHECK(banks.prepared() == 0);
}

TEST_CASE("the example rolls both databases back when one of them says no") {
  const Banks banks;
  const auto poor = banks.transfer("101", "too-much");
  CHECK(poor.exit_code == 1);
  CHECK(poor.out.find("alice has not that much") != std::string::npos);
  CHECK(banks.bobs() == "5");
  banks.close_bobs_account();
  const auto closed = banks.transfer("30", "to-nobody");
  CHECK(closed.exit_code == 1);
  CHECK(closed.out.find("there is no bob") != std::string::npos);
  CHECK(banks.alices() == "100");
  CHECK(banks.prepared() == 0);
}

TEST_CASE("the example says what is wrong with a connection string") {
  TempDir dir;
  const char* program = std::getenv("BELAY_XA_TRANSFER");
  REQUIRE(program != nullptr);
  const auto refused = run({.argv = {program, dir.file("state.db"), "host=" + dir.path(),
                                     "socket=" + dir.file("none"), "1"}});
  CHECK(refused.exit_code == 1);
  CHECK(refused.out.empty());
  CHECK(refused.err.find("xa_transfer: ") == 0);
}

}  // namespace belay::test
