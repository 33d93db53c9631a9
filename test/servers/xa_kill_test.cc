// kill -9 of a process in the midst of XA transactions across both databases, and of the databases.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>

#include "servers/xa_database.h"
#include "support/process.h"

namespace belay::test {
namespace {

constexpr int kRounds = 8;
constexpr int kTakenStep = 7;  // submits more before each next kill

std::string ids_in(const XaServer& server, const std::string& aggregate) {
  return server.ask("SELECT " + aggregate + " FROM shop.ledger WHERE id LIKE 'kill-%'");
}

}  // namespace

TEST_CASE("kills of the process and of the databases leave both agreed and nothing prepared") {
  auto& postgresql = xa_server(XaKind::postgresql);
  auto& mariadb = xa_server(XaKind::mariadb);
  const char* driver = std::getenv("BELAY_XA_KILL_DRIVER");
  REQUIRE(driver != nullptr);
  TempDir dir;
  const std::vector<std::string> argv{driver, dir.file("state.db"), postgresql.conninfo(),
                                      mariadb.conninfo()};
  std::size_t left_prepared = 0;
  for (int round = 0; round < kRounds; ++round) {
    auto load = argv;
    load.push_back(fmt::format("kill-{}-", round));
    Process process({.argv = load});
    std::string taken;
    for (int i = 0; i <= round * kTakenStep; ++i) taken += "taken\n";
    REQUIRE(process.wait_for_output(taken));
    auto& victim = round % 4 == 1 ? postgresql : mariadb;
    if (round % 2 == 1) victim.kill9();
    process.kill(SIGKILL);
    process.wait();
    if (round % 2 == 1) victim.restart();
    left_prepared += postgresql.prepared() + mariadb.prepared();
  }
  CHECK(left_prepared > 0);  // else the kills proved nothing
  const auto drained = run({.argv = argv, .limit = std::chrono::seconds(60)});
  CAPTURE(drained.out);
  CHECK(drained.exit_code == 0);
  CHECK(postgresql.prepared() == 0);
  CHECK(mariadb.prepared() == 0);
  const auto stock = ids_in(postgresql, "string_agg(id, ',' ORDER BY id COLLATE \"C\")");
  const auto bank = ids_in(mariadb, "GROUP_CONCAT(id ORDER BY BINARY id)");
  CHECK(stock == bank);
  CHECK_FALSE(stock.empty());
}

}  // namespace belay::test
