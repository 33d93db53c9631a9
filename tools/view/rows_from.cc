#include "view/rows_from.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "view/text.h"

namespace belay::tool {
namespace {

// The members of an object. One that is missing or of another type makes the whole unreadable.
class Members {
 public:
  explicit Members(const Json& object) : object_(object), is_ok_(object.is_object()) {}

  bool is_ok() const { return is_ok_; }
  const Json* find(const char* name) {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }
  // Null is an empty text.
  std::string text(const char* name) {
    const auto* found = find(name);
    if (found != nullptr && found->is_string()) return found->get<std::string>();
    is_ok_ = is_ok_ && found != nullptr && found->is_null();
    return {};
  }
  bool flag(const char* name) {
    const auto* found = find(name);
    is_ok_ = is_ok_ && found != nullptr && found->is_boolean();
    return is_ok_ && found->get<bool>();
  }
  template <class Number>
  Number number(const char* name) {
    const auto* found = find(name);
    is_ok_ = is_ok_ && found != nullptr && fits<Number>(*found);
    return is_ok_ ? found->get<Number>() : Number{};
  }
  TimePoint time(const char* name) { return TimePoint(Millis(number<std::int64_t>(name))); }
  std::optional<TimePoint> time_or_none(const char* name) {
    const auto* found = find(name);
    if (found != nullptr && found->is_null()) return std::nullopt;
    return time(name);
  }
  // The text of an object, which may be missing.
  std::string object_or_none(const char* name) {
    const auto* found = find(name);
    if (found == nullptr || found->is_null()) return {};
    is_ok_ = is_ok_ && found->is_object();
    return is_ok_ ? json_text(*found) : std::string();
  }
  // A name that `from` knows.
  template <class From>
  auto word(const char* name, From from) {
    using Word = typename decltype(from(""))::value_type;
    const auto known = from(text(name));
    is_ok_ = is_ok_ && known.has_value();
    return known.value_or(Word{});
  }
  template <class Row>
  std::vector<Row> rows(const char* name, std::optional<Row> (*row_from)(const Json&)) {
    auto rows = rows_from(object_, name, row_from);
    is_ok_ = is_ok_ && rows.has_value();
    return rows ? std::move(*rows) : std::vector<Row>();
  }
  template <class Row>
  std::optional<Row> whole(Row row) const {
    return is_ok_ ? std::optional(std::move(row)) : std::nullopt;
  }

 private:
  template <class Number>
  static bool fits(const Json& value) {
    if (value.is_number_unsigned())
      return value.get<std::uint64_t>() <=
             static_cast<std::uint64_t>(std::numeric_limits<Number>::max());
    return std::numeric_limits<Number>::is_signed && value.is_number_integer();
  }

  const Json& object_;
  bool is_ok_;
};

std::optional<BreakerState> breaker_from(std::string_view name) {
  for (const auto state : {BreakerState::closed, BreakerState::open, BreakerState::half_open}) {
    if (name_of(state) == name) return state;
  }
  return std::nullopt;
}

std::optional<TimelineRow> timeline_row_from(const Json& object) {
  Members members(object);
  return members.whole(TimelineRow{.at = members.time("at"),
                                   .event = members.text("event"),
                                   .branch_id = members.text("branch_id"),
                                   .op = members.text("op"),
                                   .outcome = members.text("outcome"),
                                   .detail = members.text("detail"),
                                   .repeats = members.number<std::uint32_t>("repeats")});
}

std::optional<ProgressRow> progress_row_from(const Json& object) {
  Members members(object);
  return members.whole(ProgressRow{{.branch_id = members.text("branch_id"),
                                    .op = members.text("op"),
                                    .status = members.text("status"),
                                    .data = members.text("data")},
                                   members.time("at")});
}

}  // namespace

std::optional<TransactionRow> transaction_row_from(const Json& object) {
  Members members(object);
  TransactionRow row;
  row.id = members.number<std::int64_t>("id");
  row.gid = members.text("gid");
  row.mode = members.word("mode", &mode_from);
  row.status = members.word("status", &status_from);
  row.stuck = members.flag("stuck");
  row.created_at = members.time("created_at");
  row.updated_at = members.time("updated_at");
  row.finished_at = members.time_or_none("finished_at");
  row.due_at = members.time_or_none("due_at");
  row.attempts = members.number<std::uint32_t>("attempts");
  row.last_error = members.text("last_error");
  row.obstacle = members.text("obstacle");
  row.trace_id = members.text("trace_id");
  row.result = members.text("result");
  row.definition = members.object_or_none("definition");
  return members.whole(std::move(row));
}

std::optional<BranchRow> branch_row_from(const Json& object) {
  Members members(object);
  return members.whole(BranchRow{.branch_id = members.text("branch_id"),
                                 .op = members.word("op", &op_from),
                                 .target = members.text("target"),
                                 .status = members.text("status"),
                                 .attempts = members.number<std::uint32_t>("attempts"),
                                 .last_error = members.text("last_error"),
                                 .due_at = members.time_or_none("due_at")});
}

std::optional<WholeTransaction> whole_transaction_from(const Json& object) {
  auto row = transaction_row_from(object);
  if (!row) return std::nullopt;
  Members members(object);
  return members.whole(WholeTransaction{std::move(*row), members.rows("branches", &branch_row_from),
                                        members.rows("timeline", &timeline_row_from),
                                        members.rows("progress", &progress_row_from)});
}

std::optional<HostFigures> host_from(const Json& object) {
  Members members(object);
  const auto total = [&members](const char* name) { return members.number<std::uint64_t>(name); };
  return members.whole(HostFigures{.host = members.text("host"),
                                   .breaker = members.word("breaker", &breaker_from),
                                   .in_flight = total("in_flight"),
                                   .success = total("success"),
                                   .failure = total("failure"),
                                   .ongoing = total("ongoing"),
                                   .unknown = total("unknown"),
                                   .no_connection = total("no_connection"),
                                   .breaker_opened = total("breaker_opened")});
}

std::optional<Hold> hold_from(const Json& object) {
  Members members(object);
  return members.whole(Hold{.target = members.text("target"),
                            .reason = members.text("reason"),
                            .asked_by = members.text("asked_by"),
                            .at = members.time("at")});
}

std::optional<Topic> topic_from(const Json& object) {
  Members members(object);
  Topic topic;
  topic.name = members.text("name");
  topic.subscriptions = members.rows<Subscription>(
      "subscriptions", +[](const Json& one) {
        Members its(one);
        return its.whole(Subscription{{}, its.text("target"), its.text("remark")});
      });
  for (auto& subscription : topic.subscriptions) subscription.topic = topic.name;
  return members.whole(std::move(topic));
}

}  // namespace belay::tool
