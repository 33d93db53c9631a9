#include "belay/reader.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/process.h"
#include "unit/core/samples.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

using namespace belay;
using namespace belay::test;

namespace {

std::vector<std::string> gids(Reader& reader, const Filter& filter) {
  const auto page = reader.list(filter);
  if (!page) MESSAGE(page.error().detail);
  REQUIRE(page.has_value());
  std::vector<std::string> gids;
  for (const auto& row : page->rows) gids.push_back(row.gid);
  return gids;
}

Filter where(void (*set)(Filter&)) {
  Filter filter;
  set(filter);
  return filter;
}

using Gids = std::vector<std::string>;

// One of each: succeeded, failed, stuck, underway, turned back and parked, everything set.
struct ReaderFixture {
  ReaderFixture() {
    story.succeed(story.submit("a-done"));
    story.wait(10);
    story.fail(story.submit("b-failed"), "no funds");
    const auto stuck = story.submit("c-stuck");
    story.start(stuck, 0);
    for (std::uint64_t i = 0; i < 3; ++i)
      story.answer(stuck, 0, OutcomeKind::unknown, "HTTP 502", 99 + i);
    story.wait(10);
    const auto underway = story.submit(rich_saga());
    story.start(underway, 0);
    const auto back = story.submit("a-back");
    story.start(back, 0);
    story.answer(back, 0, OutcomeKind::success);
    story.start(back, 1);
    story.answer(back, 1, OutcomeKind::failure, "none left");
    story.abort(back, "branch 02: none left");
    story.start(back, 1, Op::compensate);
  }

  enum class Where { log, rows, both };
  // The story on disk, in the log, in rows, or half in rows that the log has outrun.
  std::unique_ptr<store::Journal> write(Where place) {
    auto journal = open_journal(path);
    auto batch = story.batch();
    const auto add_rows = [&] {
      for (const auto& [id, transaction] : story.all()) story.add_row(batch, id);
    };
    if (place != Where::log) add_rows();
    commit(*journal, batch);
    const core::TransactionId back = 5;
    story.wait(5);
    story.answer(back, 1, OutcomeKind::unknown, "timeout", 4'711, Op::compensate);
    batch = story.batch();
    if (place == Where::rows) add_rows();
    if (place == Where::rows) batch.fold_below = batch.lsn;
    commit(*journal, batch);
    return journal;
  }

  TempDir directory;
  std::string path = directory.file("state.db");
  Story story;
};

}  // namespace

TEST_SUITE("store/reader") {
  TEST_CASE("the log and the rows tell the same") {
    std::vector<std::string> told;
    for (const auto place :
         {ReaderFixture::Where::log, ReaderFixture::Where::rows, ReaderFixture::Where::both}) {
      ReaderFixture fixture;
      const auto journal = fixture.write(place);
      auto reader = open_reader(fixture.path);
      told.push_back(everything(reader));
      if (place != ReaderFixture::Where::rows) continue;
      for (const auto& [id, transaction] : fixture.story.all())
        check_views(fixture.path, std::string(transaction.gid()));
    }
    CHECK(told[0].find("b-failed|saga|failed|") != std::string::npos);
    CHECK(told[0].find("02|compensate|stock.release|started|1|timeout|4711") != std::string::npos);
    CHECK(told[0].find("|answered|02|compensate|unknown|timeout|1") != std::string::npos);
    CHECK(told[0].find("2 1 1 1 1 " + std::to_string(Story::kBegin + 10)) != std::string::npos);
    CHECK(told[1] == told[0]);
    CHECK(told[2] == told[0]);
  }

  TEST_CASE_FIXTURE(ReaderFixture, "each call sees what was committed before it") {
    const auto journal = write(Where::log);
    auto reader = open_reader(path);
    CHECK(gids(reader, {}).size() == 5);
    const auto id = story.submit("z-new");
    commit(*journal, story.batch());
    CHECK(gids(reader, {}).front() == "z-new");
    story.succeed(id);
    auto batch = story.batch();
    story.add_row(batch, id);
    batch.fold_below = 3;
    for (const auto& [other, transaction] : story.all()) {
      if (other != id) story.add_row(batch, other);
    }
    commit(*journal, batch);
    const auto found = reader.find("z-new");
    REQUIRE(found.has_value());
    CHECK(found->status == Status::succeed);
    CHECK(reader.stats()->log_rows == 2);
    CHECK(reader.stats()->succeed == 2);
  }

  TEST_CASE("every filter finds what it names, in the log and in rows") {
    for (const auto place :
         {ReaderFixture::Where::log, ReaderFixture::Where::rows, ReaderFixture::Where::both}) {
      ReaderFixture fixture;
      const auto journal = fixture.write(place);
      auto reader = open_reader(fixture.path);
      const auto list = [&](const Filter& filter) { return gids(reader, filter); };
      CHECK(list({}) == Gids{"a-back", "order-42", "c-stuck", "b-failed", "a-done"});
      CHECK(list(where([](Filter& f) { f.status = Status::succeed; })) == Gids{"a-done"});
      CHECK(list(where([](Filter& f) { f.status = Status::failed; })) == Gids{"b-failed"});
      CHECK(list(where([](Filter& f) { f.status = Status::aborting; })) == Gids{"a-back"});
      CHECK(list(where([](Filter& f) { f.status = Status::submitted; })) ==
            Gids{"order-42", "c-stuck"});
      CHECK(list(where([](Filter& f) {
              f.mode = Mode::saga;
              f.finished = true;
            })) == Gids{"b-failed", "a-done"});
      CHECK(list(where([](Filter& f) { f.finished = false; })) ==
            Gids{"a-back", "order-42", "c-stuck"});
      CHECK(list(where([](Filter& f) { f.stuck = true; })) == Gids{"c-stuck"});
      CHECK(list(where([](Filter& f) {
              f.finished = false;
              f.stuck = false;
            })) == Gids{"a-back", "order-42"});
      CHECK(list(where([](Filter& f) { f.gid_prefix = "a-"; })) == Gids{"a-back", "a-done"});
      CHECK(list(where([](Filter& f) { f.gid_prefix = "order-42x"; })).empty());
      CHECK(list(where([](Filter& f) { f.target = "mail.excuse"; })) == Gids{"order-42"});
      CHECK(list(where([](Filter& f) { f.target = "stock.release"; })).size() == 5);
      CHECK(list(where([](Filter& f) { f.target = "stock"; })).empty());
      CHECK(list(where([](Filter& f) { f.older_than = Millis(0); })).size() == 5);
      CHECK(list(where([](Filter& f) { f.newer_than = Millis(1'000); })).empty());
      CHECK(list(where([](Filter& f) {
              f.status = Status::failed;
              f.gid_prefix = "a-";
            })).empty());
    }
  }

  TEST_CASE("ages are counted from now") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    Story story;
    const auto now = std::stoull(
        query(path, "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"));
    story.wait(now - Story::kBegin - 60'000);
    story.submit("minute");
    story.wait(50'000);
    story.submit("ten-seconds");
    commit(*journal, story.batch());
    auto reader = open_reader(path);
    CHECK(gids(reader, where([](Filter& f) { f.older_than = Millis(30'000); })) == Gids{"minute"});
    CHECK(gids(reader, where([](Filter& f) { f.newer_than = Millis(30'000); })) ==
          Gids{"ten-seconds"});
  }

  TEST_CASE("pages follow each other without gap or repeat, half of them in the log") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    Story story;
    for (int i = 0; i < 25; ++i) story.submit("g-" + std::to_string(i));
    auto batch = story.batch();
    for (core::TransactionId id = 1; id <= 25; id += 2) story.add_row(batch, id);
    commit(*journal, batch);
    auto reader = open_reader(path);
    Gids all;
    Filter filter;
    filter.limit = 10;
    int pages = 0;
    do {
      const auto page = reader.list(filter);
      REQUIRE(page.has_value());
      for (const auto& row : page->rows) all.push_back(row.gid);
      filter.before_id = page->next_before_id;
      ++pages;
    } while (filter.before_id != 0);
    CHECK(pages == 3);
    REQUIRE(all.size() == 25);
    for (std::size_t i = 0; i < 25; ++i) CHECK(all[i] == "g-" + std::to_string(24 - i));
    CHECK_FALSE(reader.list(where([](Filter& f) { f.limit = 0; })).has_value());
    CHECK_FALSE(reader.list(where([](Filter& f) { f.limit = 10'001; })).has_value());
    CHECK(reader.list(where([](Filter& f) { f.limit = 25; }))->next_before_id == 0);
  }

  TEST_CASE("a call looks at so many rows and no more, and says where to go on") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    Story story;
    const auto first = story.submit(Tcc("t-first").branch({"try", "confirm", "cancel"}));
    auto batch = story.batch();
    story.add_row(batch, first);
    commit(*open_journal(path), batch);
    // 25,000 more: finished sagas
    REQUIRE(query(path,
                  "WITH RECURSIVE n(i) AS (VALUES(2) UNION ALL SELECT i + 1 FROM n WHERE i < 25001)"
                  " INSERT INTO transaction_rows SELECT i, 's-' || i, 0, 3, 0, created_at,"
                  " updated_at, NULL, 0, NULL, NULL, lsn, 0, '{}', '[]', '[]', NULL, NULL, NULL"
                  " FROM n, transaction_rows WHERE id = 1") == "");
    auto reader = open_reader(path);
    Filter filter;
    filter.mode = Mode::tcc;
    const auto next = [&] {
      const auto page = reader.list(filter);
      REQUIRE(page.has_value());
      filter.before_id = page->next_before_id;
      return page->rows.size();
    };
    CHECK(next() == 0);
    CHECK(filter.before_id == 25'001 - 10'000 + 1);
    CHECK(next() == 0);
    CHECK(next() == 1);
    CHECK(filter.before_id == 0);
    // What an index serves is found at once.
    CHECK(gids(reader, where([](Filter& f) { f.finished = false; })) == Gids{"t-first"});
    CHECK(gids(reader, where([](Filter& f) { f.gid_prefix = "t-"; })) == Gids{"t-first"});
    CHECK(gids(reader, where([](Filter& f) { f.gid_prefix = "s-2500"; })) ==
          Gids{"s-25001", "s-25000", "s-2500"});
    CHECK(gids(reader, where([](Filter& f) { f.gid_prefix = "s-"; })).size() == 100);
  }

  TEST_CASE_FIXTURE(ReaderFixture, "an unknown gid is not found") {
    const auto journal = write(Where::both);
    auto reader = open_reader(path);
    CHECK(reader.find("nobody").error().code == ErrorCode::not_found);
    CHECK(reader.read("nobody").error().code == ErrorCode::not_found);
    CHECK(reader.find("a-done").has_value());  // and that did no harm
  }

  TEST_CASE_FIXTURE(ReaderFixture, "a gid used again where no history is kept means the newest") {
    const auto journal = write(Where::log);
    story.submit("a-done");
    commit(*journal, story.batch());
    auto reader = open_reader(path);
    CHECK(reader.find("a-done")->status == Status::submitted);
    CHECK(gids(reader, where([](Filter& f) { f.gid_prefix = "a-done"; })) == Gids{"a-done"});
    CHECK(reader.stats()->succeed == 0);
  }

  TEST_CASE_FIXTURE(ReaderFixture, "figures of the file") {
    const auto journal = write(Where::log);
    auto reader = open_reader(path);
    const auto stats = reader.stats();
    REQUIRE(stats.has_value());
    CHECK(stats->log_rows == 2);
    CHECK(std::to_string(stats->log_bytes) == query(path, "SELECT sum(length(records)) FROM log"));
    CHECK(stats->last_lsn == 2);
    CHECK(stats->epoch == 1);
    CHECK(stats->wal_bytes > 0);
    CHECK(stats->engine.holder.rfind("pid ", 0) == 0);
    CHECK(journal->close().has_value());
    const auto closed = reader.stats();
    REQUIRE(closed.has_value());
    CHECK(closed->engine.holder == "");
    CHECK(closed->file_bytes >= 5 * 8192);
  }

  TEST_CASE_FIXTURE(ReaderFixture, "a dead engine's file is read and left as it is") {
    const auto journal = write(Where::both);
    // What a killed engine leaves: the file and its write-ahead log.
    const auto dead = directory.file("dead.db");
    REQUIRE(run({.argv = {"/bin/cp", path, dead}}).exit_code == 0);
    REQUIRE(run({.argv = {"/bin/cp", path + "-wal", dead + "-wal"}}).exit_code == 0);
    const auto sums = [&] { return run({.argv = {"/usr/bin/cksum", dead, dead + "-wal"}}).out; };
    const auto before = sums();
    REQUIRE(before != "");
    {
      auto live = open_reader(path);
      auto reader = open_reader(dead);
      CHECK(everything(reader) == everything(live));
      CHECK(reader.check()->problems.empty());
    }
    CHECK(sums() == before);
  }

  TEST_CASE_FIXTURE(ReaderFixture, "a clean file stays alone when it was read") {
    write(Where::both);
    {
      auto reader = open_reader(path);
      CHECK(gids(reader, {}).size() == 5);
    }
    CHECK(run({.argv = {"/bin/ls", directory.path()}}).out == "state.db\nstate.db-lock\n");
  }
}
