// do_and_submit with a real engine and each database: the message is delivered if and only if the
// local transaction committed.
#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

#include "servers/story.h"
#include "support/process.h"

namespace belay::test {
namespace {

constexpr Millis kLimit{20'000};

// An engine with a target that counts, and a back-check on a connection of its own.
template <class Site>
class Shop {
 public:
  Shop() : connection_(Site::connect()), engine_(open(folder_)) {
    CHECK(engine_->handle("deliver", &deliver, this).has_value());
    CHECK(engine_->handle_blocking("check", &check, this).has_value());
    CHECK(engine_->start().has_value());
  }

  Engine& engine() { return *engine_; }
  int delivered() const { return delivered_; }
  // Soon asked about, should no word come.
  Msg message(const Story& story) const {
    Msg msg(story.gid());
    return msg.to("deliver").query("check").timeout_to_fail(Millis(300)).retry(kQuick);
  }
  Status end_of(const Story& story) {
    const auto report = engine_->wait(story.gid(), kLimit);
    REQUIRE(report.has_value());
    return report->status();
  }

 private:
  static constexpr Retry kQuick{.first_interval = Millis(20), .interval_max = Millis(100)};

  static Result<Engine> open(const TempDir& folder) { return Engine::open(folder.file("shop.db")); }
  static Outcome deliver(const Call&, void* user) {
    ++static_cast<Shop*>(user)->delivered_;
    return Outcome::success();
  }
  static Outcome check(const Call& call, void* user) {
    return static_cast<Shop*>(user)->connection_->query_prepared(call.gid);
  }

  TempDir folder_;
  std::unique_ptr<Connection> connection_;
  std::atomic<int> delivered_{0};
  Result<Engine> engine_;
};

}  // namespace

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
