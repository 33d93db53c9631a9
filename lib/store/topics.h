// The tables of topics and subscriptions. A change is written in the same commit as the log row of
// its batch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "belay/msg.h"
#include "belay/result.h"
#include "core/topics.h"
#include "ports/store.h"
#include "sqlite/sqlite.h"

namespace belay::store {

class TopicWriter {
 public:
  static Result<TopicWriter> prepare(sqlite3* db);
  Result<> write(const ports::TopicChange& change);

 private:
  Result<> write_subscription(const ports::TopicChange& change);
  Result<> write_stamp(const ports::TopicChange& change);
  Result<> remove(const std::string& topic);

  sqlite::Statement upsert_;
  sqlite::Statement erase_;
  sqlite::Statement stamp_;
  sqlite::Statement erase_all_;
  sqlite::Statement erase_topic_;
};

Result<core::Topics> read_topics(sqlite::Database& database);
// One topic; empty: there is no such topic.
Result<std::optional<core::TopicState>> read_topic(sqlite::Database& database,
                                                   std::string_view topic);

}  // namespace belay::store
