// The table of subscriptions. A change is written in the same commit as the log row of its batch.
#pragma once

#include <string_view>
#include <vector>

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
  sqlite::Statement upsert_;
  sqlite::Statement erase_;
};

Result<core::Topics> read_topics(sqlite3* db);
// The subscriptions of one topic, ordered by target.
Result<std::vector<Subscription>> read_topic(sqlite3* db, std::string_view topic);

}  // namespace belay::store
