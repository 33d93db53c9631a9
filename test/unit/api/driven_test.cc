// Transactions that their caller drives, through the engine and through the handle.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "unit/api/site.h"

namespace belay::test {

using namespace std::chrono_literals;

Driven begun(Site& site, const char* gid = "g") {
  auto driven = Driven::begin(site.engine(), Tcc(gid).in_order());
  REQUIRE(driven.has_value());
  CHECK(driven->gid() == gid);
  return std::move(*driven);
}

TEST_SUITE("api/driven") {
  TEST_CASE("branches are tried one by one, confirmed by the word, in order") {
    Site site;
    auto order = begun(site);
    const auto seat = order.branch(kSeat);
    REQUIRE(seat.has_value());
    CHECK(seat->kind() == OutcomeKind::success);
    CHECK(site.calls() == Calls{"g 01 try seat.try"});
    REQUIRE(order.branch(kMeal));
    const auto report = order.run(10s);
    REQUIRE(report.has_value());
    CHECK(report->succeeded());
    CHECK(site.calls() == Calls{"g 01 try seat.try", "g 02 try meal.try",
                                "g 01 confirm seat.confirm", "g 02 confirm meal.confirm"});
  }

  TEST_CASE("an abort cancels in the reverse order and says why") {
    Site site;
    auto order = begun(site);
    REQUIRE(order.branch(kSeat));
    REQUIRE(order.branch(kMeal));
    site.forget_calls();
    REQUIRE(order.abort("changed my mind"));
    CHECK(site.status_of("g") == Status::failed);
    CHECK(site.engine().find("g")->reason() == "changed my mind");
    CHECK(site.calls() == Calls{"g 02 cancel meal.cancel", "g 01 cancel seat.cancel"});
  }

  TEST_CASE("a handle that is dropped aborts, also by an exception and by another's assignment") {
    Site site;
    {
      auto order = begun(site, "returned");
      REQUIRE(order.branch(kSeat));
    }
    CHECK(site.status_of("returned") == Status::failed);
    CHECK(site.engine().find("returned")->reason() == "its handle was dropped");
    try {
      auto order = begun(site, "thrown");
      throw std::runtime_error("no funds");
    } catch (const std::runtime_error&) {
    }
    CHECK(site.status_of("thrown") == Status::failed);
    auto order = begun(site, "replaced");
    order = begun(site, "new");
    CHECK(site.status_of("replaced") == Status::failed);
    auto moved = std::move(order);
    CHECK(order.branch(kSeat).error().code == ErrorCode::misuse);
    CHECK(moved.run(10s)->succeeded());
  }

  TEST_CASE("a refused branch forbids the submit, and the handle still aborts") {
    Site site;
    site.answer_with("meal.try", Outcome::failure("no meals"));
    {
      auto order = begun(site);
      REQUIRE(order.branch(kSeat));
      const auto meal = order.branch(kMeal);
      REQUIRE(meal.has_value());
      CHECK(meal->kind() == OutcomeKind::failure);
      CHECK(meal->reason() == "no meals");
      CHECK(order.submit().error().code == ErrorCode::forbidden);
    }
    CHECK(site.status_of("g") == Status::failed);
  }

  TEST_CASE("after its word the handle takes nothing more, and a drop does no harm") {
    Site site;
    {
      auto order = begun(site);
      REQUIRE(order.branch(kSeat));
      REQUIRE(order.submit());
      CHECK(order.submit().error().code == ErrorCode::misuse);
      CHECK(order.run(1s).error().code == ErrorCode::misuse);
      CHECK(order.abort("no").error().code == ErrorCode::misuse);
      CHECK(order.branch(kMeal).error().code == ErrorCode::misuse);
    }
    CHECK(site.status_of("g") == Status::succeed);
    // By gid the word may be repeated, as often as one likes.
    CHECK(site.engine().submit_prepared("g")->succeeded());
    CHECK(site.engine().abort("g", "no").error().code == ErrorCode::forbidden);
    CHECK(site.engine().register_branch("g", kMeal).error().code == ErrorCode::forbidden);
    CHECK(site.engine().prepare(Tcc("g").in_order())->succeeded());
  }

  TEST_CASE("a run that takes too long says so, and it goes on") {
    Site site;
    auto order = begun(site);
    REQUIRE(order.branch(kSlow));
    site.keep_answers(true);
    CHECK(order.run(20ms).error().code == ErrorCode::timed_out);
    site.keep_answers(false);
    CHECK(site.status_of("g") == Status::succeed);
  }

  TEST_CASE("a run hears its end also where the history keeps nothing") {
    for (const auto history : {History::none, History::failed}) {
      Site site(history);
      for (int i = 0; i < 20; ++i) {
        auto order = begun(site);
        REQUIRE(order.branch(kSeat));
        const auto report = order.run(10s);
        REQUIRE(report.has_value());
        CHECK(report->succeeded());
      }
    }
  }

  TEST_CASE("a run without time still says whether the word was taken") {
    Site site;
    site.answer_with("meal.try", Outcome::failure("no meals"));
    auto order = begun(site);
    REQUIRE(order.branch(kMeal));
    CHECK(order.run(0ms).error().code == ErrorCode::forbidden);
    CHECK(order.abort("no meals").has_value());
  }

  TEST_CASE("on the engine's loop nobody may wait for a driven transaction") {
    Site site;
    auto order = begun(site);
    std::promise<std::vector<ErrorCode>> codes;
    auto& engine = site.engine();
    REQUIRE(engine.find("g", [&](const Result<Report>&) {
      codes.set_value({Driven::begin(engine, Tcc("h")).error().code,
                       order.branch(kSeat).error().code, order.submit().error().code,
                       order.abort("no").error().code, engine.topics().error().code,
                       engine.subscribe({"news", "news.a"}).error().code});
    }));
    for (const auto code : codes.get_future().get()) CHECK(code == ErrorCode::misuse);
    CHECK(order.run(10s)->succeeded());
  }

  TEST_CASE("many threads register branches at once, and each is confirmed once") {
    Site site;
    REQUIRE(site.engine().prepare(Tcc("g")));
    std::vector<std::thread> threads;
    std::atomic<int> successes = 0;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 10; ++n) {
          const auto outcome = site.engine().register_branch("g", n % 2 == 0 ? kSeat : kSlow);
          if (outcome && outcome->kind() == OutcomeKind::success) ++successes;
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(successes == 80);
    REQUIRE(site.engine().submit_prepared("g"));
    CHECK(site.status_of("g") == Status::succeed);
    auto calls = site.calls();
    CHECK(calls.size() == 160);
    std::sort(calls.begin(), calls.end());
    CHECK(std::adjacent_find(calls.begin(), calls.end()) == calls.end());
  }

  TEST_CASE("no word by the deadline aborts, and whoever waits for a branch hears of it") {
    Site site;
    site.keep_answers(true);
    REQUIRE(site.engine().prepare(Tcc("g").timeout_to_fail(50ms)));
    const auto outcome = site.engine().register_branch("g", kSlow);
    REQUIRE(outcome.has_value());
    CHECK(outcome->kind() == OutcomeKind::unknown);
    site.keep_answers(false);
    CHECK(site.status_of("g") == Status::failed);
  }

  TEST_CASE("a close tells whoever waits for a branch") {
    Site site;
    site.keep_answers(true);
    REQUIRE(site.engine().prepare(Tcc("g").request_timeout(100ms)));
    std::promise<ErrorCode> code;
    REQUIRE(site.engine().register_branch("g", kSlow, [&](const Result<Outcome>& outcome) {
      code.set_value(outcome ? ErrorCode{} : outcome.error().code);
    }));
    REQUIRE(site.called(1));
    REQUIRE(site.engine().close());
    CHECK(code.get_future().get() == ErrorCode::closed);
    CHECK(site.engine().prepare(Tcc("h")).error().code == ErrorCode::closed);
  }
}

TEST_SUITE("api/restart") {
  TEST_CASE("prepared: it waits for its word in the next life too") {
    Site site;
    REQUIRE(site.engine().prepare(Tcc("g").branch(kSeat)));
    REQUIRE(site.engine().register_branch("g", kMeal));
    site.crash();
    CHECK(site.engine().find("g")->status() == Status::prepared);
    REQUIRE(site.engine().register_branch("g", kSeat));
    REQUIRE(site.engine().submit(Tcc("g").branch(kSeat)));
    CHECK(site.status_of("g") == Status::succeed);
    auto calls = site.calls();
    std::sort(calls.begin(), calls.end());
    CHECK(calls == Calls{"g 01 confirm seat.confirm", "g 02 confirm meal.confirm",
                         "g 03 confirm seat.confirm", "g 03 try seat.try"});
  }

  TEST_CASE("a branch being tried: it is tried again") {
    Site site;
    site.keep_answers(true);
    REQUIRE(site.engine().prepare(Tcc("g")));
    REQUIRE(site.engine().register_branch("g", kSlow, [](const Result<Outcome>&) {}));
    REQUIRE(site.called(1));
    site.crash();
    REQUIRE(site.called(1));
    // Forbidden until its answer has come.
    auto submitted = site.engine().submit_prepared("g");
    for (int looks = 0; looks < 1'000 && !submitted; ++looks) {
      static_cast<void>(site.engine().wait("g", 5ms).has_value());
      submitted = site.engine().submit_prepared("g");
    }
    REQUIRE(submitted.has_value());
    CHECK(site.status_of("g") == Status::succeed);
    CHECK(site.calls().front() == "g 01 try slow.try");
  }

  TEST_CASE("submitted: it is confirmed again and cannot be aborted") {
    Site site;
    REQUIRE(site.engine().prepare(Tcc("g")));
    REQUIRE(site.engine().register_branch("g", kSlow));
    site.keep_answers(true);
    REQUIRE(site.engine().submit_prepared("g"));
    REQUIRE(site.called(2));
    site.crash();
    CHECK(site.engine().abort("g", "no").error().code == ErrorCode::forbidden);
    CHECK(site.status_of("g") == Status::succeed);
    CHECK(site.calls() == Calls{"g 01 confirm slow.confirm"});
  }

  TEST_CASE("aborting: it is cancelled again and cannot be submitted") {
    Site site;
    REQUIRE(site.engine().prepare(Tcc("g")));
    REQUIRE(site.engine().register_branch("g", kSlow));
    site.keep_answers(true);
    REQUIRE(site.engine().abort("g", "changed my mind"));
    REQUIRE(site.called(2));
    site.crash();
    CHECK(site.engine().submit_prepared("g").error().code == ErrorCode::forbidden);
    CHECK(site.status_of("g") == Status::failed);
    CHECK(site.engine().find("g")->reason() == "changed my mind");
    CHECK(site.calls() == Calls{"g 01 cancel slow.cancel"});
  }

  TEST_CASE("finished: the word is answered from the history") {
    Site site;
    REQUIRE(site.engine().prepare(Tcc("good")));
    REQUIRE(site.engine().submit_prepared("good"));
    REQUIRE(site.engine().prepare(Tcc("bad").branch(kSeat)));
    REQUIRE(site.engine().abort("bad", "changed my mind"));
    CHECK(site.status_of("good") == Status::succeed);
    CHECK(site.status_of("bad") == Status::failed);
    site.reopen();
    CHECK(site.engine().submit_prepared("good")->succeeded());
    CHECK(site.engine().abort("good", "no").error().code == ErrorCode::forbidden);
    CHECK(site.engine().abort("bad", "no")->reason() == "changed my mind");
    CHECK(site.engine().submit_prepared("bad").error().code == ErrorCode::forbidden);
    CHECK(site.engine().register_branch("bad", kSeat).error().code == ErrorCode::forbidden);
    CHECK(site.engine().prepare(Tcc("bad").branch(kMeal)).error().code == ErrorCode::conflict);
  }

  TEST_CASE("no word by the deadline, which passed while nobody ran it: it is aborted") {
    Site site;
    REQUIRE(site.engine().prepare(Tcc("g").timeout_to_fail(300ms)));
    REQUIRE(site.engine().register_branch("g", kSeat));
    site.crash();
    CHECK(site.status_of("g") == Status::failed);
    CHECK(site.calls() == Calls{"g 01 cancel seat.cancel"});
  }
}

}  // namespace belay::test
