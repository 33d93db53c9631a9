// Connections and servers that die in the middle, and transactions that die inside the work.
#include <doctest/doctest.h>

#include "servers/story.h"

namespace belay::test {
namespace {

template <class Site>
void check_undone_and_done_again(const Story& story) {
  const auto connection = Site::connect();
  CHECK(story.count(*connection, "action") == 0);
  CHECK(story.guard_rows(*connection, Site::kTable).empty());
  CHECK(is(story.call(*connection, "action"), OutcomeKind::success));
  CHECK(story.count(*connection, "action") == 1);
}

}  // namespace

TEST_SUITE("servers/barrier kills") {
  TEST_CASE_TEMPLATE("a connection killed during the work: unknown, and nothing was done", Site,
                     BELAY_SERVER_SITES) {
    const auto connection = Site::connect();
    const Story story("saga");
    const auto effect = story.effect(*connection, "action");
    auto barrier = story.barrier("action");
    const auto outcome = connection->call(barrier, [&] {
      auto answer = effect();
      Site::kill_connection(connection->id());
      return answer;
    });
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(!outcome.reason().empty());
    const auto again = story.call(*connection, "action");
    CHECK(is(again, OutcomeKind::unknown));
    CHECK(again.reason().find("inside a transaction") == std::string::npos);
    check_undone_and_done_again<Site>(story);
  }

  TEST_CASE_TEMPLATE("a server killed during the work: unknown, and nothing was done", Site,
                     BELAY_SERVER_SITES) {
    const auto connection = Site::connect();
    const Story story("saga");
    const auto effect = story.effect(*connection, "action");
    auto barrier = story.barrier("action");
    const auto outcome = connection->call(barrier, [&] {
      auto answer = effect();
      Site::kill_server();
      return answer;
    });
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(!outcome.reason().empty());
    CHECK(is(connection->query_prepared(story.gid()), OutcomeKind::unknown));
    Site::restart_server();
    check_undone_and_done_again<Site>(story);
  }

  TEST_CASE_TEMPLATE("what was answered success outlives the server", Site, BELAY_SERVER_SITES) {
    const Story story("saga");
    REQUIRE(is(story.call(*Site::connect(), "action"), OutcomeKind::success));
    Site::kill_server();
    Site::restart_server();
    const auto connection = Site::connect();
    CHECK(is(story.call(*connection, "action"), OutcomeKind::success));
    CHECK(story.count(*connection, "action") == 1);
  }

  TEST_CASE_TEMPLATE("work that does not mind a failed statement is not taken for done", Site,
                     belay::test::PostgresReadCommitted, belay::test::PostgresRepeatableRead) {
    const auto connection = Site::connect();
    const Story story("saga");
    auto barrier = story.barrier("action");
    const auto effect = story.effect(*connection, "action");
    const auto outcome = connection->call(barrier, [&] {
      effect();
      connection->run("select * from nowhere");
      return Outcome::success();
    });
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(outcome.reason().find("rolled back") != std::string::npos);
    check_undone_and_done_again<Site>(story);
  }

  // MariaDB rolls all of a transaction back when it loses a deadlock, and the next statement
  // begins another one: without the guard's row, which is what gives it away.
  TEST_CASE_TEMPLATE("work that goes on in another transaction is not taken for done", Site,
                     belay::test::MariaDbReadCommitted, belay::test::MariaDbRepeatableRead) {
    const auto connection = Site::connect();
    const Story story("saga");
    const auto effect = story.effect(*connection, "action");
    auto barrier = story.barrier("action");
    const auto outcome = connection->call(barrier, [&] {
      connection->run("rollback");
      connection->run("start transaction");
      return effect();
    });
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(outcome.reason().find("ended inside the work") != std::string::npos);
    check_undone_and_done_again<Site>(story);
  }

  TEST_CASE_TEMPLATE("a client that reconnects by itself does so between calls only", Site,
                     belay::test::MariaDbReadCommitted, belay::test::MariaDbRepeatableRead) {
    const auto connection = Site::connect();
    connection->let_reconnect();
    const Story story("saga");
    const auto effect = story.effect(*connection, "action");
    auto barrier = story.barrier("action");
    const auto outcome = connection->call(barrier, [&] {
      Site::kill_connection(connection->id());
      effect();  // finds the connection lost
      effect();  // would connect again, and commit by itself
      return Outcome::success();
    });
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(story.count(*Site::connect(), "action") == 0);
    CHECK(is(story.call(*connection, "action"), OutcomeKind::success));
    CHECK(story.count(*connection, "action") == 1);
  }

  TEST_CASE_TEMPLATE("a lock that takes too long: unknown, and nothing was done", Site,
                     BELAY_SERVER_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    second->run("set lock_timeout = 100");            // PostgreSQL
    second->run("set innodb_lock_wait_timeout = 1");  // MariaDB
    const Story story("saga");
    auto barrier = story.barrier("action");
    const auto effect = story.effect(*first, "action");
    auto late = Outcome::success();
    const auto outcome = first->call(barrier, [&] {
      late = story.call(*second, "action");
      return effect();
    });
    CHECK(is(outcome, OutcomeKind::success));
    CHECK(is(late, OutcomeKind::unknown));
    CHECK(late.reason().find("imeout") != std::string::npos);
    CHECK(is(story.call(*second, "action"), OutcomeKind::success));
    CHECK(story.count(*second, "action") == 1);
  }
}

}  // namespace belay::test
