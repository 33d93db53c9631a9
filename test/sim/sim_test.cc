// The simulator itself: a seed is one history, its checkers see what is planted, its fixed seeds
// get everywhere.
#include <doctest/doctest.h>

#include <string>

#include "base/mark.h"
#include "run.h"
#include "support/sanitized.h"

namespace belay::sim {
namespace {

struct Tally {
  unsigned runs = 0;
  unsigned failures = 0;
  std::string first;
};

// `enough`: no more runs after so many failures.
Tally run_planted(Planted planted, std::uint64_t from, unsigned count, unsigned enough) {
  Tally tally;
  for (unsigned i = 0; i < count && tally.failures < enough; ++i) {
    const auto result = Run({.seed = from + i, .planted = planted}).go();
    ++tally.runs;
    if (result.failure.empty()) continue;
    if (tally.failures++ == 0)
      tally.first = "seed " + std::to_string(from + i) + " " + result.failure;
  }
  return tally;
}

// Some failures in `count` runs, or nothing would be seen.
bool is_caught(Planted planted, unsigned count) {
  return run_planted(planted, 1, count, 11).failures == 11;
}

}  // namespace

TEST_SUITE("sim") {
  TEST_CASE("the same seed is the same history, another seed another") {
    for (std::uint64_t seed = 1; seed <= (belay::test::kSanitized ? 15 : 60); ++seed) {
      CAPTURE(seed);
      const auto once = Run({.seed = seed}).go();
      const auto again = Run({.seed = seed}).go();
      CHECK(once.digest == again.digest);
      CHECK(once.events == again.events);
      CHECK(once.digest != Run({.seed = seed + 1'000'000}).go().digest);
    }
  }

  TEST_CASE("fixed seeds hold every promise and reach every rare branch") {
    for (auto& count : base::mark_counts) count = 0;
    const auto tally = run_planted(Planted::nothing, 1, belay::test::kSanitized ? 200 : 600, 1);
    CAPTURE(tally.first);
    CHECK(tally.failures == 0);
    if (belay::test::kSanitized) return;  // which takes long, and sees a part
    for (std::size_t i = 0; i < base::kMarks; ++i) {
      CAPTURE(std::string(base::kMarkNames[i]));
      CHECK(base::mark_counts[i] > 0);
    }
  }

  // What is wrong in these is seen: otherwise the runs above would prove nothing.
  TEST_CASE("control: a store that says done and writes nothing is caught") {
    CHECK(is_caught(Planted::lying_store, 35));
  }
  TEST_CASE("control: a disk that lies about syncs is caught") {
    CHECK(is_caught(Planted::lying_sync, 200));
  }
  TEST_CASE("control: commits that are not synced are caught") {
    CHECK(is_caught(Planted::normal_sync, 200));
  }
  TEST_CASE("control: banks without a barrier are caught") {
    CHECK(is_caught(Planted::no_barrier, 200));
  }
  TEST_CASE("control: an engine that nobody wakes is caught") {
    CHECK(is_caught(Planted::deaf_alarm, 11));
  }
  TEST_CASE("control: a refusal that is taken for a success is caught") {
    CHECK(is_caught(Planted::wrong_answer, 200));
  }
  TEST_CASE("control: subscriptions that a crash takes are caught") {
    CHECK(is_caught(Planted::forgotten_topics, 200));
  }
  TEST_CASE("control: a confirm that goes out beside a try is caught") {
    CHECK(is_caught(Planted::early_confirm, 200));
  }
  TEST_CASE("control: a bank that has a place again and does not say so is caught") {
    CHECK(is_caught(Planted::silent_lanes, 200));
  }
  TEST_CASE("control: a handler beside which its branch is called is caught") {
    CHECK(is_caught(Planted::hidden_handlers, 400));
  }
  TEST_CASE("control: steps of workflows that a crash takes are caught") {
    CHECK(is_caught(Planted::forgotten_steps, 200));
  }
  TEST_CASE("control: an engine that writes on although another has the file is caught") {
    CHECK(is_caught(Planted::two_writers, 200));
  }
  TEST_CASE("control: answers to posted requests that a crash takes are caught") {
    CHECK(run_planted(Planted::lost_answers, 1, 40, 6).failures == 6);
  }
  TEST_CASE("control: a held target that is called after a crash is caught") {
    CHECK(run_planted(Planted::forgotten_holds, 1, 60, 6).failures == 6);
  }
  TEST_CASE("control: a call with what an operator has replaced is caught") {
    CHECK(run_planted(Planted::stale_edits, 1, 40, 6).failures == 6);
  }
  TEST_CASE("control: a back-check that says committed too early is caught") {
    CHECK(is_caught(Planted::hasty_query, 400));
  }
}

}  // namespace belay::sim
