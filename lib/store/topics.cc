#include "store/topics.h"

#include <utility>

namespace belay::store {
namespace {

constexpr std::string_view kUpsert =
    "INSERT INTO main.topics VALUES(?1, ?2, ?3) ON CONFLICT(topic, target) DO UPDATE SET remark = "
    "excluded.remark";
constexpr std::string_view kErase = "DELETE FROM main.topics WHERE topic = ?1 AND target = ?2";
constexpr std::string_view kStamp = "INSERT OR REPLACE INTO main.topic_rows VALUES(?1, ?2, ?3, ?4)";
constexpr std::string_view kEraseAll = "DELETE FROM main.topics WHERE topic = ?1";
constexpr std::string_view kEraseTopic = "DELETE FROM main.topic_rows WHERE topic = ?1";
constexpr std::string_view kReadStamps =
    "SELECT topic, version, created_at, updated_at FROM main.topic_rows";
constexpr std::string_view kReadSubscribers = "SELECT topic, target, remark FROM main.topics";
constexpr std::string_view kOneTopic = " WHERE topic = ?1";
// A reader does not migrate the file of an older belay, whose topics have no stamps.
constexpr std::int64_t kStampsSince = 3;  // the schema version
constexpr std::string_view kReadUnstamped = "SELECT DISTINCT topic, 1, 0, 0 FROM main.topics";

// Reads all topics, or only `only`.
Result<core::Topics> read(sqlite::Database& database, std::optional<std::string_view> only) {
  auto version = database.integer("PRAGMA main.user_version");
  if (!version) return version.error();
  const auto prepare = [&](std::string_view sql) {
    auto statement = sqlite::Statement::prepare(
        database.handle(), std::string(sql).append(only ? kOneTopic : std::string_view()));
    if (statement && only) statement->bind_text(1, *only);
    return statement;
  };
  core::Topics topics;
  auto stamps = prepare(*version >= kStampsSince ? kReadStamps : kReadUnstamped);
  if (!stamps) return stamps.error();
  while (true) {
    auto row = stamps->step();
    if (!row) return row.error();
    if (!*row) break;
    topics[std::string(stamps->bytes(0))].stamp = {stamps->number(1), stamps->number(2),
                                                   stamps->number(3)};
  }
  auto subscribers = prepare(kReadSubscribers);
  if (!subscribers) return subscribers.error();
  while (true) {
    auto row = subscribers->step();
    if (!row) return row.error();
    if (!*row) return topics;
    topics[std::string(subscribers->bytes(0))].subscribers.emplace(subscribers->bytes(1),
                                                                   subscribers->bytes(2));
  }
}

}  // namespace

Result<TopicWriter> TopicWriter::prepare(sqlite3* db) {
  TopicWriter writer;
  for (const auto& [sql, into] : {std::pair{kUpsert, &writer.upsert_},
                                  {kErase, &writer.erase_},
                                  {kStamp, &writer.stamp_},
                                  {kEraseAll, &writer.erase_all_},
                                  {kEraseTopic, &writer.erase_topic_}}) {
    auto statement = sqlite::Statement::prepare(db, sql);
    if (!statement) return statement.error();
    *into = std::move(*statement);
  }
  return writer;
}

Result<> TopicWriter::write(const ports::TopicChange& change) {
  if (change.kind == ports::TopicChange::Kind::remove) return remove(change.subscription.topic);
  BELAY_TRY(write_subscription(change));
  return write_stamp(change);
}

Result<> TopicWriter::write_subscription(const ports::TopicChange& change) {
  const bool adds = change.kind == ports::TopicChange::Kind::subscribe;
  auto& statement = adds ? upsert_ : erase_;
  statement.bind_text(1, change.subscription.topic);
  statement.bind_text(2, change.subscription.target);
  if (adds) statement.bind_text(3, change.subscription.remark);
  return statement.run();
}

Result<> TopicWriter::write_stamp(const ports::TopicChange& change) {
  stamp_.bind_text(1, change.subscription.topic);
  stamp_.bind(2, change.stamp.version);
  stamp_.bind(3, change.stamp.created_at);
  stamp_.bind(4, change.stamp.updated_at);
  return stamp_.run();
}

Result<> TopicWriter::remove(const std::string& topic) {
  for (auto* statement : {&erase_all_, &erase_topic_}) {
    statement->bind_text(1, topic);
    BELAY_TRY(statement->run());
  }
  return {};
}

Result<core::Topics> read_topics(sqlite::Database& database) {
  return read(database, std::nullopt);
}

Result<std::optional<core::TopicState>> read_topic(sqlite::Database& database,
                                                   std::string_view topic) {
  using Found = std::optional<core::TopicState>;
  auto topics = read(database, topic);
  if (!topics) return topics.error();
  if (topics->empty()) return Found();
  return Found(std::move(topics->begin()->second));
}

}  // namespace belay::store
