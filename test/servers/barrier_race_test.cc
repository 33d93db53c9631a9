// Two connections at once. Where it matters who is first, the test holds the first one's
// transaction open until the second one waits for it.
#include <doctest/doctest.h>
#include <poll.h>

#include <chrono>
#include <latch>
#include <thread>

#include "servers/story.h"

namespace belay::test {
namespace {

constexpr int kRounds = 30;
constexpr int kAttemptsMax = 20;

template <class Site>
bool wait_for_waiter() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!Site::someone_waits()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

// `second` is called on another thread while the work of `first` is open, and waits; then that work
// answers `answer`.
template <class Site>
Outcome overlapped(Connection& first, Barrier barrier, const std::function<Outcome()>& work,
                   const std::function<void()>& second) {
  Site::forget_waits();
  std::thread other;
  auto outcome = first.call(barrier, [&] {
    auto answer = work();
    other = std::thread(second);
    CHECK(wait_for_waiter<Site>());
    return answer;
  });
  if (other.joinable()) other.join();
  return outcome;
}

// As the engine does it: asked again until there is an answer.
Outcome insist(const std::function<Outcome()>& call) {
  auto outcome = call();
  for (int i = 1; i < kAttemptsMax && is(outcome, OutcomeKind::unknown); ++i) outcome = call();
  return outcome;
}

void at_once(const std::function<void()>& one, const std::function<void()>& other) {
  std::latch both(2);
  std::thread thread([&] {
    both.arrive_and_wait();
    other();
  });
  both.arrive_and_wait();
  one();
  thread.join();
}

}  // namespace

TEST_SUITE("servers/barrier races") {
  TEST_CASE_TEMPLATE("of two calls at once one does the work, the other waits for it", Site,
                     BELAY_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    const Story story("saga");
    auto late = Outcome::unknown("not called");
    const auto outcome =
        overlapped<Site>(*first, story.barrier("action"), story.effect(*first, "action"),
                         [&] { late = story.call(*second, "action"); });
    CHECK(is(outcome, OutcomeKind::success));
    CAPTURE(late.reason());
    CHECK(is(late, OutcomeKind::success));
    CHECK(story.count(*first, "action") == 1);
  }

  TEST_CASE_TEMPLATE("a call that waited does the work if the first one rolled back", Site,
                     BELAY_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    const Story story("saga");
    auto late = Outcome::unknown("not called");
    const auto effect = story.effect(*first, "action");
    const auto outcome = overlapped<Site>(
        *first, story.barrier("action"),
        [&] {
          effect();
          return Outcome::ongoing();
        },
        [&] { late = story.call(*second, "action"); });
    CHECK(is(outcome, OutcomeKind::ongoing));
    CAPTURE(late.reason());
    CHECK(is(late, OutcomeKind::success));
    CHECK(story.count(*first, "action") == 1);
  }

  TEST_CASE_TEMPLATE("a cancel during its try waits, then undoes it", Site, BELAY_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    const Story story("tcc");
    auto cancelled = Outcome::unknown("not called");
    overlapped<Site>(*first, story.barrier("try"), story.effect(*first, "try"),
                     [&] { cancelled = story.call(*second, "cancel"); });
    CAPTURE(cancelled.reason());
    CHECK(is(cancelled, OutcomeKind::success));
    CHECK(story.count(*first, "try") == 1);
    CHECK(story.count(*first, "cancel") == 1);
  }

  TEST_CASE_TEMPLATE("a cancel during a try that fails bars it", Site, BELAY_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    const Story story("tcc");
    auto cancelled = Outcome::unknown("not called");
    overlapped<Site>(
        *first, story.barrier("try"), [] { return Outcome::unknown("lost"); },
        [&] { cancelled = story.call(*second, "cancel"); });
    CAPTURE(cancelled.reason());
    CHECK(is(cancelled, OutcomeKind::success));
    CHECK(is(story.call(*first, "try"), OutcomeKind::success));
    CHECK(story.count(*first, "try") == 0);
    CHECK(story.count(*first, "cancel") == 0);
  }

  TEST_CASE_TEMPLATE("a try and its cancel in any order: both ran or neither", Site, BELAY_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    for (int round = 0; round < kRounds; ++round) {
      const Story story("tcc");
      at_once(
          [&] {
            CHECK(is(insist([&] { return story.call(*first, "try"); }), OutcomeKind::success));
          },
          [&] {
            CHECK(is(insist([&] { return story.call(*second, "cancel"); }), OutcomeKind::success));
          });
      CHECK(story.count(*first, "try") == story.count(*first, "cancel"));
      CHECK(story.count(*first, "try") <= 1);
    }
  }

  TEST_CASE_TEMPLATE("a crowd of the same call does the work once", Site, BELAY_SITES) {
    constexpr int kCrowd = 6;
    const auto watcher = Site::connect();
    for (int round = 0; round < 5; ++round) {
      const Story story("saga");
      std::vector<Outcome> outcomes(kCrowd, Outcome::unknown("not called"));
      std::latch all(kCrowd);
      std::vector<std::thread> crowd;
      for (auto& outcome : outcomes) {
        crowd.emplace_back([&] {
          const auto connection = Site::connect();
          all.arrive_and_wait();
          outcome = story.call(*connection, "action");
        });
      }
      for (auto& one : crowd) one.join();
      for (const auto& outcome : outcomes) {
        CAPTURE(outcome.reason());
        CHECK(is(outcome, OutcomeKind::success));
      }
      CHECK(story.count(*watcher, "action") == 1);
    }
  }

  TEST_CASE_TEMPLATE("a back-check during the work waits and says what became of it", Site,
                     BELAY_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    for (const bool good : {true, false}) {
      CAPTURE(good);
      const Story story("msg");
      const auto effect = story.effect(*first, "msg");
      auto said = Outcome::unknown("not asked");
      overlapped<Site>(
          *first, Barrier("msg", story.gid(), "00", "msg"),
          [&] { return good ? effect() : Outcome::unknown("lost"); },
          [&] { said = second->query_prepared(story.gid()); });
      CAPTURE(said.reason());
      CHECK(is(said, good ? OutcomeKind::success : OutcomeKind::failure));
      CHECK(story.count(*first, "msg") == (good ? 1 : 0));
      Barrier again("msg", story.gid(), "00", "msg");
      CHECK(is(first->call(again, effect), good ? OutcomeKind::success : OutcomeKind::failure));
      CHECK(story.count(*first, "msg") == (good ? 1 : 0));
    }
  }

  TEST_CASE_TEMPLATE("a back-check and the work in any order agree", Site, BELAY_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    for (int round = 0; round < kRounds; ++round) {
      const Story story("msg");
      auto done = Outcome::unknown("not called");
      auto said = Outcome::unknown("not asked");
      at_once(
          [&] {
            done = insist([&] {
              Barrier barrier("msg", story.gid(), "00", "msg");
              return first->call(barrier, story.effect(*first, "msg"));
            });
          },
          [&] { said = insist([&] { return second->query_prepared(story.gid()); }); });
      CHECK(done.kind() == said.kind());
      CHECK(story.count(*first, "msg") == (is(said, OutcomeKind::success) ? 1 : 0));
    }
  }

  TEST_CASE_TEMPLATE("a table created twice at once is there", Site, BELAY_SITES) {
    const auto first = Site::connect();
    const auto second = Site::connect();
    at_once([&] { CHECK(first->create_table().has_value()); },
            [&] { CHECK(second->create_table().has_value()); });
  }
}

}  // namespace belay::test
