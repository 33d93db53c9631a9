// do_and_submit with a real engine and each database: the message is delivered if and only if the
// local transaction committed.
#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "servers/outbox_shop.h"

namespace belay::test {
TEST_SUITE("servers/outbox") {
  TEST_CASE_TEMPLATE("what committed is delivered, and done once however often it is asked for",
                     Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    for (int turn = 0; turn < 2; ++turn) {
      const auto report = connection->do_and_submit(shop.engine(), shop.message(story),
                                                    story.effect(*connection, "msg"));
      REQUIRE(report.has_value());
      CHECK(report->gid() == story.gid());
      CHECK(shop.end_of(story) == Status::succeed);
    }
    CHECK(shop.delivered() == 1);
    CHECK(story.count(*connection, "msg") == 1);
  }

  TEST_CASE_TEMPLATE("work that says no: nothing is delivered", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    const auto effect = story.effect(*connection, "msg");
    const auto report = connection->do_and_submit(shop.engine(), shop.message(story), [&] {
      effect();
      return Outcome::failure("sold out");
    });
    REQUIRE(report.has_value());
    CHECK(report->status() == Status::failed);
    CHECK(report->reason().find("sold out") != std::string::npos);
    CHECK(shop.delivered() == 0);
    CHECK(story.count(*connection, "msg") == 0);
  }

  TEST_CASE_TEMPLATE("work that throws: the back-check finds nothing and nothing is delivered",
                     Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    const auto effect = story.effect(*connection, "msg");
    const auto report =
        connection->do_and_submit(shop.engine(), shop.message(story), [&]() -> Outcome {
          effect();
          throw std::runtime_error("no paper");
        });
    REQUIRE(!report.has_value());
    CHECK(report.error().code == ErrorCode::commit_unknown);
    CHECK(report.error().detail.find("no paper") != std::string::npos);
    CHECK(shop.end_of(story) == Status::failed);
    CHECK(shop.delivered() == 0);
    CHECK(story.count(*connection, "msg") == 0);
  }

  TEST_CASE_TEMPLATE("a caller that died after its commit: the back-check delivers", Site,
                     BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    REQUIRE(shop.engine().prepare(shop.message(story)).has_value());
    Barrier barrier("msg", story.gid(), "00", "msg");
    REQUIRE(is(connection->call(barrier, story.effect(*connection, "msg")), OutcomeKind::success));
    CHECK(shop.end_of(story) == Status::succeed);
    CHECK(shop.delivered() == 1);
  }

  TEST_CASE_TEMPLATE("a back-check that came before the work bars it", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    REQUIRE(is(connection->query_prepared(story.gid()), OutcomeKind::failure));
    const auto report = connection->do_and_submit(shop.engine(), shop.message(story),
                                                  story.effect(*connection, "msg"));
    REQUIRE(report.has_value());
    CHECK(report->status() == Status::failed);
    CHECK(shop.delivered() == 0);
    CHECK(story.count(*connection, "msg") == 0);
  }

  // The second caller waits for the first one's row, and may commit once that is rolled back.
  TEST_CASE_TEMPLATE("of two callers one says no: delivered if and only if the other committed",
                     Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const auto second = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    Site::forget_waits();
    std::thread other;
    std::atomic<bool> is_refused = false;
    const auto message = shop.message(story, Millis(20'000));
    const auto refused = connection->do_and_submit(shop.engine(), message, [&] {
      other = std::thread([&] {
        const auto effect = story.effect(*second, "msg");
        static_cast<void>(second->do_and_submit(shop.engine(), message, [&] {
          // The first caller waits for this work. One that does not would be done before it.
          Site::forget_waits();
          CHECK(comes_true([&] { return is_refused || Site::someone_waits(); }));
          return effect();
        }));
      });
      CHECK(comes_true([] { return Site::someone_waits(); }));
      return Outcome::failure("sold out");
    });
    is_refused = true;
    other.join();
    const bool succeeded = shop.end_of(story) == Status::succeed;
    CHECK(story.count(*connection, "msg") == int{succeeded});
    CHECK(shop.delivered() == int{succeeded});
    if (refused) CHECK((refused->status() == Status::failed) == !succeeded);
  }

  TEST_CASE_TEMPLATE("a connection lost during the work: nothing is delivered", Site,
                     BELAY_SERVER_SITES) {
    const auto connection = Site::connect();
    const auto watcher = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    const auto effect = story.effect(*connection, "msg");
    const auto report = connection->do_and_submit(shop.engine(), shop.message(story), [&] {
      auto answer = effect();
      Site::kill_connection(connection->id());
      return answer;
    });
    REQUIRE(!report.has_value());
    CHECK(report.error().code == ErrorCode::commit_unknown);
    CHECK(shop.end_of(story) == Status::failed);
    CHECK(shop.delivered() == 0);
    CHECK(story.count(*watcher, "msg") == 0);
  }

  TEST_CASE_TEMPLATE("inside a transaction it is refused before anything is done", Site,
                     BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    REQUIRE(connection->run("begin"));
    const auto report = connection->do_and_submit(shop.engine(), shop.message(story),
                                                  story.effect(*connection, "msg"));
    REQUIRE(!report.has_value());
    CHECK(report.error().code == ErrorCode::misuse);
    CHECK(!shop.engine().find(story.gid()).has_value());
    CHECK(connection->run("commit"));
    CHECK(story.count(*connection, "msg") == 0);
  }

  TEST_CASE_TEMPLATE("a gid that the barrier cannot hold is refused before anything is done", Site,
                     BELAY_SITES) {
    const auto connection = Site::connect();
    Options options;
    options.limits.gid_bytes_max = 300;
    Shop<Site> shop(options);
    const std::string gids[] = {std::string(129, 'g'), "order\xff", std::string("a\0b", 3),
                                "\xed\xa0\x80",        "\xc0\xaf",  "cut \xf0\x9f\xa7"};
    for (const auto& gid : gids) {
      Msg msg(gid);
      msg.to("deliver").query("check");
      const auto report =
          connection->do_and_submit(shop.engine(), msg, [] { return Outcome::success(); });
      REQUIRE(!report.has_value());
      CHECK(report.error().code == ErrorCode::invalid_argument);
      CHECK(report.error().detail.find("the barrier's column") != std::string::npos);
      CHECK(!shop.engine().find(gid).has_value());
    }
  }

  TEST_CASE_TEMPLATE("a message without a back-check is refused before anything is done", Site,
                     BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    Msg msg(story.gid());
    msg.to("deliver");
    const auto report =
        connection->do_and_submit(shop.engine(), msg, story.effect(*connection, "msg"));
    REQUIRE(!report.has_value());
    CHECK(report.error().code == ErrorCode::invalid_argument);
    CHECK(!shop.engine().find(story.gid()).has_value());
    CHECK(story.count(*connection, "msg") == 0);
  }
}

}  // namespace belay::test
