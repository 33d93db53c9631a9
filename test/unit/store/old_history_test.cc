// Goal: from a file that no engine has open, what finished before a time goes, and nothing else.
#include "belay/old_history.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "belay/transfer.h"
#include "support/process.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

namespace belay::test {
namespace {

namespace fs = std::filesystem;

TimePoint at(std::uint64_t ms) { return TimePoint(Millis(static_cast<std::int64_t>(ms))); }

struct HistoryFixture {
  // Steps until nothing is left to do.
  int remove_all(const FinishedBefore& before) {
    auto history = OldHistory::open(path);
    REQUIRE(history.has_value());
    for (int steps = 1; steps <= 10'000; ++steps) {
      const auto more = history->remove_some(before);
      REQUIRE(more.has_value());
      if (*more) continue;
      REQUIRE(history->close().has_value());
      return steps;
    }
    FAIL("it never ends");
    return 0;
  }
  HistoryCount count(const FinishedBefore& before) {
    auto history = OldHistory::open(path);
    REQUIRE(history.has_value());
    const auto found = history->count(before);
    REQUIRE(found.has_value());
    return *found;
  }
  void commit_rows() {
    auto batch = story.batch();
    for (const auto& [id, transaction] : story.all()) story.add_row(batch, id);
    commit(*open_journal(path), batch);
  }
  std::string gids() const {
    return query(path,
                 "SELECT group_concat(gid, ' ') FROM (SELECT gid FROM transactions ORDER BY id)");
  }

  TempDir dir;
  const std::string path = dir.file("state.db");
  Story story;
};

}  // namespace

TEST_SUITE("store/old_history") {
  TEST_CASE_FIXTURE(HistoryFixture, "each outcome has its own time, and what is unfinished stays") {
    story.succeed(story.submit("old-done"));
    story.fail(story.submit("old-failed"), "no");
    story.decide(story.submit("open"), core::Begun{});
    story.wait(1'000);
    story.succeed(story.submit("new-done"));
    story.fail(story.submit("new-failed"), "no");
    commit_rows();
    const auto between = at(Story::kBegin + 500);
    const auto later = at(story.now() + 1);

    const auto both = count({between, later});
    CHECK(both.succeeded == 1);
    CHECK(both.failed == 2);
    CHECK(count({}).succeeded + count({}).failed == 0);
    remove_all({});
    CHECK(gids() == "old-done old-failed open new-done new-failed");
    remove_all({.failed = between});
    CHECK(gids() == "old-done open new-done new-failed");
    remove_all({between, between});
    CHECK(gids() == "open new-done new-failed");
    remove_all({at(story.now()), at(story.now())});
    CHECK(gids() == "open new-done new-failed");  // exactly at the limit: not before it
    remove_all({later, later});
    CHECK(gids() == "open");
    CHECK(open_reader(path).check()->problems.empty());
    CHECK(open_reader(path).list({})->rows.size() == 1);
  }

  TEST_CASE_FIXTURE(HistoryFixture, "what only the log says is counted and goes, too") {
    story.succeed(story.submit("in-log"));
    story.decide(story.submit("open"), core::Begun{});
    commit(*open_journal(path), story.batch());
    CHECK(gids() == "");
    CHECK(count({.succeeded = at(story.now() + 1)}).succeeded == 1);
    remove_all({.succeeded = at(story.now() + 1)});
    CHECK(gids() == "open");
    CHECK(open_reader(path).list({})->rows.size() == 1);
    CHECK(open_reader(path).check()->problems.empty());
  }

  TEST_CASE_FIXTURE(HistoryFixture,
                    "an imported one that is older than those before it goes, too") {
    story.succeed(story.submit("ancient"));
    commit_rows();
    const auto file = dir.file("all.jsonl");
    {
      std::string all;
      const auto exported = open_reader(path).export_all({}, [&all](std::string_view line) {
        all += line;
        return true;
      });
      REQUIRE(exported.has_value());
      std::ofstream(file) << all;
    }
    const auto to = dir.file("to.db");
    Story other;
    other.wait(100'000);
    other.succeed(other.submit("recent"));
    auto batch = other.batch();
    other.add_row(batch, 1);
    commit(*open_journal(to), batch);
    REQUIRE(import_transactions(file, to).has_value());
    auto history = OldHistory::open(to);
    REQUIRE(history.has_value());
    while (*history->remove_some({.succeeded = at(Story::kBegin + 1'000)})) {
    }
    REQUIRE(history->close().has_value());
    CHECK(query(to, "SELECT gid FROM transactions") == "recent");
  }

  TEST_CASE_FIXTURE(HistoryFixture, "many go in small commits, and the file gets smaller") {
    constexpr int kMany = 3'000;
    for (int i = 0; i < kMany; ++i) {
      Saga saga("gid-" + std::to_string(i));
      saga.step("a", "b", std::string(2'000, 'p'));
      story.succeed(story.submit(saga));
    }
    commit_rows();
    const auto before = fs::file_size(path);
    {
      // As much as was done when it was interrupted.
      auto history = OldHistory::open(path);
      REQUIRE(history.has_value());
      CHECK(*history->remove_some({.succeeded = at(story.now() + 1)}));
    }
    CHECK(open_reader(path).check()->problems.empty());
    CHECK(count({.succeeded = at(story.now() + 1)}).succeeded == kMany - 1'000);
    CHECK(remove_all({.succeeded = at(story.now() + 1)}) > 3);
    CHECK(fs::file_size(path) < before / 2);
    CHECK(open_reader(path).check()->problems.empty());
  }

  TEST_CASE_FIXTURE(HistoryFixture, "it is held as by an engine, and opens no new file") {
    CHECK(OldHistory::open(path).error().code == ErrorCode::not_found);
    CHECK(!fs::exists(path));
    {
      const auto engine = open_journal(path);
      CHECK(OldHistory::open(path).error().code == ErrorCode::locked);
    }
    auto history = OldHistory::open(path);
    REQUIRE(history.has_value());
    CHECK(OldHistory::open(path).error().code == ErrorCode::locked);
    auto moved = std::move(*history);
    CHECK(history->count({}).error().code == ErrorCode::misuse);
    CHECK(moved.count({}).has_value());
    CHECK(moved.close().has_value());
    CHECK(moved.remove_some({}).error().code == ErrorCode::misuse);
    CHECK(OldHistory::open(path).has_value());
  }

  TEST_CASE_FIXTURE(HistoryFixture, "what the last engine left for readers stays") {
    {
      store::JournalConfig config;
      config.path = path;
      config.stuck_after = 9;
      const auto engine = open_journal(config);
      ports::Batch batch;
      batch.hosts = {{.host = "http://a", .success = 7}};
      commit(*engine, batch);
    }
    remove_all({});
    CHECK(query(path, "SELECT value FROM meta WHERE name = 'stuck_after'") == "9");
    REQUIRE(open_reader(path).stats()->engine.hosts.size() == 1);
  }
}

}  // namespace belay::test
