// Subscriptions in the state file.
#include <doctest/doctest.h>

#include <string>

#include "support/process.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

using namespace belay;
using namespace belay::test;

namespace {

using Subscriptions = std::vector<Subscription>;

ports::Batch batch_of(const std::vector<ports::TopicChange>& changes) {
  ports::Batch batch;
  batch.topics = changes;
  return batch;
}

}  // namespace

TEST_SUITE("store/topics") {
  TEST_CASE("subscriptions survive a close, and an open reads them") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    {
      const auto journal = open_journal(path);
      commit(*journal, batch_of({{{"news", "b", "late"}, false}, {{"news", "a"}, false}}));
      commit(*journal, batch_of({{{"mail", "z"}, false}, {{"news", "b"}, true}}));
      commit(*journal, batch_of({{{"news", "a", "new"}, false}}));
    }
    CHECK(read_back(path).recovered.topics ==
          core::Topics{{"mail", {{"z", ""}}}, {"news", {{"a", "new"}}}});
  }

  TEST_CASE("within a batch the changes are made in order") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    {
      const auto journal = open_journal(path);
      commit(*journal, batch_of({{{"t", "a"}, false}, {{"t", "a"}, true}, {{"t", "b"}, false}}));
      commit(*journal, batch_of({{{"t", "b"}, true}, {{"t", "b", "again"}, false}}));
    }
    CHECK(read_back(path).recovered.topics == core::Topics{{"t", {{"b", "again"}}}});
  }

  TEST_CASE("a reader sees them beside the engine, ordered, and as of the call") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    auto reader = open_reader(path);
    CHECK(reader.topics()->empty());
    commit(*journal, batch_of({{{"news", "b", "late"}, false}, {{"mail", "z"}, false}}));
    CHECK(*reader.topics() == Subscriptions{{"mail", "z"}, {"news", "b", "late"}});
    commit(*journal, batch_of({{{"mail", "z"}, true}}));
    CHECK(*reader.topics() == Subscriptions{{"news", "b", "late"}});
  }

  TEST_CASE("changes and the records of their batch are in one commit") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    Story story;
    story.submit("g");
    auto batch = story.batch();
    batch.topics = {{{"news", "good"}, false}, {{"news", "bad"}, false}};
    REQUIRE(query(path,
                  "CREATE TRIGGER refuse BEFORE INSERT ON topics WHEN new.target = 'bad'"
                  " BEGIN SELECT RAISE(ABORT, 'no'); END") == "");
    CHECK_FALSE(journal->commit(batch).has_value());
    CHECK(query(path, "SELECT count(*) FROM topics") == "0");
    CHECK(query(path, "SELECT count(*) FROM log") == "0");
    REQUIRE(query(path, "DROP TRIGGER refuse") == "");
    commit(*journal, batch);
    CHECK(query(path, "SELECT target FROM topics ORDER BY 1") == "bad\ngood");
    CHECK(query(path, "SELECT count(*) FROM log") == "1");
  }
}
