// Subscriptions in the state file.
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "support/process.h"
#include "support/topics.h"
#include "unit/store/story.h"
#include "unit/store/told.h"

using namespace belay;
using namespace belay::test;

namespace {

using Subscriptions = std::vector<Subscription>;

using Kind = ports::TopicChange::Kind;

core::TopicState state(std::map<std::string, std::string, std::less<>> subscribers,
                       core::TopicStamp stamp = {}) {
  return {std::move(subscribers), stamp};
}

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
      commit(*journal, batch_of({{{"news", "b", "late"}, Kind::subscribe},
                                 {{"news", "a"}, Kind::subscribe}}));
      commit(*journal,
             batch_of({{{"mail", "z"}, Kind::subscribe}, {{"news", "b"}, Kind::unsubscribe}}));
      commit(*journal, batch_of({{{"news", "a", "new"}, Kind::subscribe}}));
    }
    CHECK(read_back(path).recovered.topics ==
          core::Topics{{"mail", state({{"z", ""}})}, {"news", state({{"a", "new"}})}});
  }

  TEST_CASE("a topic stays without subscribers, with its version and times, until it is removed") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    {
      const auto journal = open_journal(path);
      commit(*journal, batch_of({{{"news", "a"}, Kind::subscribe, {1, 1'000, 1'000}},
                                 {{"news", "a"}, Kind::unsubscribe, {2, 1'000, 2'000}},
                                 {{"mail", "z"}, Kind::subscribe, {1, 3'000, 3'000}}}));
      auto reader = open_reader(path);
      const auto news = reader.topic("news");
      REQUIRE(news.has_value());
      CHECK(news->subscriptions.empty());
      CHECK(news->version == 2);
      CHECK(news->created_at == TimePoint(Millis{1'000}));
      CHECK(news->updated_at == TimePoint(Millis{2'000}));
      CHECK(reader.topic("nothing").error().code == ErrorCode::not_found);
    }
    CHECK(read_back(path).recovered.topics ==
          core::Topics{{"mail", state({{"z", ""}}, {1, 3'000, 3'000})},
                       {"news", state({}, {2, 1'000, 2'000})}});
    {
      const auto journal = open_journal(path);
      commit(*journal, batch_of({{{"mail", ""}, Kind::remove}, {{"news", ""}, Kind::remove}}));
    }
    CHECK(read_back(path).recovered.topics.empty());
    CHECK(query(path, "SELECT count(*) FROM topics") == "0");
  }

  TEST_CASE("the topics of an older file are there, for a reader and after an open") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    commit(*open_journal(path), batch_of({{{"news", "a"}, Kind::subscribe, {7, 1, 2}}}));
    REQUIRE(query(path,
                  "DROP TABLE topic_rows; DROP TABLE belay_requests; DROP TABLE belay_holds; "
                  "PRAGMA user_version = 2") == "");
    {
      auto reader = open_reader(path);
      CHECK(subscriptions_of(*reader.topics()) == Subscriptions{{"news", "a"}});
      CHECK(reader.topic("news")->version == 1);
      CHECK_FALSE(reader.topic("news")->created_at.has_value());
      CHECK(reader.topic("mail").error().code == ErrorCode::not_found);
    }
    CHECK(read_back(path).recovered.topics ==
          core::Topics{{"news", state({{"a", ""}}, {1, 0, 0})}});
    CHECK(query(path, "PRAGMA user_version") == "4");
  }

  TEST_CASE("within a batch the changes are made in order") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    {
      const auto journal = open_journal(path);
      commit(*journal, batch_of({{{"t", "a"}, Kind::subscribe},
                                 {{"t", "a"}, Kind::unsubscribe},
                                 {{"t", "b"}, Kind::subscribe}}));
      commit(*journal,
             batch_of({{{"t", "b"}, Kind::unsubscribe}, {{"t", "b", "again"}, Kind::subscribe}}));
    }
    CHECK(read_back(path).recovered.topics == core::Topics{{"t", state({{"b", "again"}})}});
  }

  TEST_CASE("a reader sees them beside the engine, ordered, and as of the call") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    auto reader = open_reader(path);
    CHECK(reader.topics()->empty());
    commit(*journal,
           batch_of({{{"news", "b", "late"}, Kind::subscribe}, {{"mail", "z"}, Kind::subscribe}}));
    CHECK(subscriptions_of(*reader.topics()) ==
          Subscriptions{{"mail", "z"}, {"news", "b", "late"}});
    commit(*journal, batch_of({{{"mail", "z"}, Kind::unsubscribe}}));
    CHECK(subscriptions_of(*reader.topics()) == Subscriptions{{"news", "b", "late"}});
  }

  TEST_CASE("changes and the records of their batch are in one commit") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    Story story;
    story.submit("g");
    auto batch = story.batch();
    batch.topics = {{{"news", "good"}, Kind::subscribe}, {{"news", "bad"}, Kind::subscribe}};
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
