#include "store/topics.h"

#include <utility>

namespace belay::store {
namespace {

constexpr std::string_view kUpsertTopic =
    "INSERT INTO main.topics VALUES(?1, ?2, ?3) ON CONFLICT(topic, target) DO UPDATE SET remark = "
    "excluded.remark";
constexpr std::string_view kEraseTopic = "DELETE FROM main.topics WHERE topic = ?1 AND target = ?2";
constexpr std::string_view kReadTopics = "SELECT topic, target, remark FROM main.topics";
constexpr std::string_view kReadTopic =
    "SELECT target, remark FROM main.topics WHERE topic = ?1 ORDER BY target";

}  // namespace

Result<TopicWriter> TopicWriter::prepare(sqlite3* db) {
  TopicWriter writer;
  auto upsert = sqlite::Statement::prepare(db, kUpsertTopic);
  if (!upsert) return upsert.error();
  auto erase = sqlite::Statement::prepare(db, kEraseTopic);
  if (!erase) return erase.error();
  writer.upsert_ = std::move(*upsert);
  writer.erase_ = std::move(*erase);
  return writer;
}

Result<> TopicWriter::write(const ports::TopicChange& change) {
  auto& statement = change.erase ? erase_ : upsert_;
  statement.bind_text(1, change.subscription.topic);
  statement.bind_text(2, change.subscription.target);
  if (!change.erase) statement.bind_text(3, change.subscription.remark);
  return statement.run();
}

Result<core::Topics> read_topics(sqlite3* db) {
  core::Topics topics;
  auto statement = sqlite::Statement::prepare(db, kReadTopics);
  if (!statement) return statement.error();
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return topics;
    topics[std::string(statement->bytes(0))].emplace(statement->bytes(1), statement->bytes(2));
  }
}

Result<std::vector<Subscription>> read_topic(sqlite3* db, std::string_view topic) {
  auto statement = sqlite::Statement::prepare(db, kReadTopic);
  if (!statement) return statement.error();
  statement->bind_text(1, topic);
  std::vector<Subscription> all;
  while (true) {
    auto row = statement->step();
    if (!row) return row.error();
    if (!*row) return all;
    all.push_back(
        {std::string(topic), std::string(statement->bytes(0)), std::string(statement->bytes(1))});
  }
}

}  // namespace belay::store
