#include "view/rows_from.h"

#include <cstdint>
#include <utility>

#include "view/members.h"

namespace belay::tool {
namespace {

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
