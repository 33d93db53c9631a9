// do_and_submit killed at each of its steps, its database killed, its state file's disk refusing,
// and its back-check racing it: delivered if and only if the local transaction committed.
#include <doctest/doctest.h>
#include <signal.h>

#include <cstdlib>
#include <thread>

#include "servers/outbox_shop.h"
#include "servers/refusing_disk.h"
#include "support/random.h"

namespace belay::test {
namespace {

enum class Commits { no, yes, perhaps };

struct Step {
  const char* name;
  Commits commits;
};

constexpr Step kSteps[] = {
    {"start", Commits::no},      {"prepared", Commits::no},  {"worked", Commits::no},
    {"committing", Commits::no}, {"sent", Commits::perhaps}, {"committed", Commits::yes},
    {"submitted", Commits::yes},
};

int count_of(const std::string& text, std::string_view word) {
  int count = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

template <class Site>
Finished killed_at(const char* step, const Story& story, const std::string& state_file) {
  const char* driver = std::getenv("BELAY_OUTBOX_DRIVER");
  REQUIRE(driver != nullptr);
  const auto number = story.gid().substr(story.gid().find('-') + 1);
  return run({.argv = {driver, state_file, std::string(Site::kKind), Site::address(), story.gid(),
                       number, step}});
}

template <class Site>
void check_killed_at(const Step& step) {
  const auto connection = Site::connect();
  const Story story("msg");
  const TempDir folder;
  const auto killed = killed_at<Site>(step.name, story, folder.file("shop.db"));
  CAPTURE(step.name);
  CAPTURE(killed.out);
  REQUIRE(killed.signal == SIGKILL);

  Shop<Site> shop(folder.file("shop.db"));
  if (std::string_view(step.name) == "start") {
    CHECK(!shop.engine().find(story.gid()).has_value());
    CHECK(story.count(*connection, "msg") == 0);
    return;
  }
  const bool succeeded = shop.end_of(story) == Status::succeed;
  const int done = story.count(*connection, "msg");
  CHECK(succeeded == (done == 1));
  if (step.commits != Commits::perhaps) CHECK(done == (step.commits == Commits::yes ? 1 : 0));
  const int delivered = shop.delivered() + count_of(killed.out, "delivered");
  CHECK((delivered > 0) == (done == 1));
}

}  // namespace

TEST_SUITE("servers/outbox crashes") {
  TEST_CASE_TEMPLATE("killed at any step, it is delivered if and only if the work committed", Site,
                     belay::test::Sqlite, belay::test::PostgresReadCommitted,
                     belay::test::MariaDbRepeatableRead) {
    for (const auto& step : kSteps) {
      if (std::string_view(step.name) == "sent" && Site::kKind == Sqlite::kKind) continue;
      check_killed_at<Site>(step);
    }
  }

  TEST_CASE_TEMPLATE("undisturbed, the same process delivers once", Site, belay::test::Sqlite,
                     belay::test::PostgresReadCommitted, belay::test::MariaDbRepeatableRead) {
    const auto connection = Site::connect();
    const Story story("msg");
    const TempDir folder;
    const auto done = killed_at<Site>("none", story, folder.file("shop.db"));
    CHECK(done.exit_code == 0);
    CHECK(done.out == "delivered\n");
    CHECK(story.count(*connection, "msg") == 1);
  }

  TEST_CASE_TEMPLATE("a server killed during the work: nothing is delivered", Site,
                     BELAY_SERVER_SITES) {
    const Story story("msg");
    {
      const auto connection = Site::connect();
      Shop<Site> shop;
      const auto effect = story.effect(*connection, "msg");
      const auto report = connection->do_and_submit(shop.engine(), shop.message(story), [&] {
        auto answer = effect();
        Site::kill_server();
        return answer;
      });
      REQUIRE(!report.has_value());
      CHECK(report.error().code == ErrorCode::commit_unknown);
      // The back-check cannot answer, and nobody guesses.
      REQUIRE(comes_true([&] { return shop.checks_begun() >= 3; }));
      CHECK(shop.engine().find(story.gid())->status() == Status::prepared);
      Site::restart_server();
      CHECK(shop.delivered() == 0);
      CHECK(shop.engine().close().has_value());
      Shop<Site> reopened(shop.state_file());
      CHECK(reopened.end_of(story) == Status::failed);
      CHECK(reopened.delivered() == 0);
    }
    CHECK(story.count(*Site::connect(), "msg") == 0);
  }

  TEST_CASE_TEMPLATE("a state file that refuses the prepare: the work is not begun", Site,
                     belay::test::Sqlite, belay::test::PostgresReadCommitted,
                     belay::test::MariaDbRepeatableRead) {
    const auto connection = Site::connect();
    const Story first("msg");
    const Story story("msg");
    Shop<Site> shop;
    bool begun = false;
    {
      const RefusingDisk disk(shop.state_file());
      static_cast<void>(shop.engine().submit(shop.message(first), [](const auto&) {}).has_value());
      REQUIRE(comes_true([&] { return !shop.engine().counters().storage_ok; }));
      const auto report = connection->do_and_submit(shop.engine(), shop.message(story), [&] {
        begun = true;
        return Outcome::success();
      });
      REQUIRE(!report.has_value());
      CHECK(report.error().code == ErrorCode::storage);
    }
    CHECK(!begun);
    REQUIRE(comes_true([&] { return shop.engine().counters().storage_ok; }));
    CHECK(shop.engine().find(story.gid()).error().code == ErrorCode::not_found);
    REQUIRE(connection->do_and_submit(shop.engine(), shop.message(story),
                                      story.effect(*connection, "msg")));
    CHECK(shop.end_of(story) == Status::succeed);
  }

  TEST_CASE_TEMPLATE("a state file that refuses the submit: delivered when it is back", Site,
                     belay::test::Sqlite, belay::test::PostgresReadCommitted,
                     belay::test::MariaDbRepeatableRead) {
    const auto connection = Site::connect();
    const Story story("msg");
    Shop<Site> shop;
    std::unique_ptr<RefusingDisk> disk;
    const auto effect = story.effect(*connection, "msg");
    std::thread mender;
    const auto report = connection->do_and_submit(shop.engine(), shop.message(story), [&] {
      disk = std::make_unique<RefusingDisk>(shop.state_file());
      mender = std::thread([&] {
        CHECK(comes_true([&] { return !shop.engine().counters().storage_ok; }));
        disk->mend();
      });
      return effect();
    });
    mender.join();
    CHECK(disk->refused() > 0);
    // It may say that it cannot tell, or that it is submitted; in the end it is the same.
    if (!report) CHECK(report.error().code == ErrorCode::commit_unknown);
    CHECK(shop.end_of(story) == Status::succeed);
    CHECK(shop.delivered() == 1);
    CHECK(story.count(*connection, "msg") == 1);
  }

  TEST_CASE_TEMPLATE("a back-check that comes during the work waits for its end", Site,
                     BELAY_SITES) {
    const auto connection = Site::connect();
    Shop<Site> shop;
    bool worked = false;
    // One that came before the work began barred it: then the next story has more time.
    Millis timeout_to_fail{20};
    while (!worked) {
      const Story story("msg");
      Site::forget_waits();
      const auto effect = story.effect(*connection, "msg");
      const auto message = shop.message(story, timeout_to_fail);
      timeout_to_fail *= 2;
      const auto report = connection->do_and_submit(shop.engine(), message, [&] {
        worked = true;
        auto answer = effect();
        CHECK(comes_true([] { return Site::someone_waits(); }));
        return answer;
      });
      CHECK(report.has_value());
      CHECK(shop.end_of(story) == (worked ? Status::succeed : Status::failed));
      CHECK(shop.delivered() == (worked ? 1 : 0));
    }
    CHECK(shop.checks_begun() > 0);
  }

  TEST_CASE_TEMPLATE("a back-check at any moment: delivered if and only if the work committed",
                     Site, BELAY_SITES) {
    const auto connection = Site::connect();
    Shop<Site> shop;
    int committed = 0;
    constexpr int kRaces = 30;
    Random random(1);
    for (int i = 0; i < kRaces; ++i) {
      const Story story("msg");
      const auto effect = story.effect(*connection, "msg");
      const int before = shop.delivered();
      const auto message = shop.message(story, Millis(1 + i % 4));
      const auto pause = std::chrono::microseconds(random.below(8'000));
      const auto report = connection->do_and_submit(shop.engine(), message, [&] {
        const auto until = std::chrono::steady_clock::now() + pause;
        while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
        return effect();
      });
      const bool succeeded = shop.end_of(story) == Status::succeed;
      const int done = story.count(*connection, "msg");
      CAPTURE(i);
      CHECK(succeeded == (done == 1));
      CHECK(shop.delivered() - before == done);
      if (report && report->status() == Status::failed) CHECK(done == 0);
      committed += done;
    }
    CHECK(committed > 0);
    CHECK(shop.checks_begun() > 0);
  }
}

}  // namespace belay::test
