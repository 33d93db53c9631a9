#include "rows.h"

namespace belay::tool {
namespace {

Json json_of(TimePoint at) { return at.time_since_epoch().count(); }

Json json_of(const std::optional<TimePoint>& at) { return at ? json_of(*at) : Json(); }

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

// A definition that is no JSON is shown as a string.
Json embedded(const std::string& text) {
  if (text.empty()) return {};
  auto parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

}  // namespace

Json json_of(const TransactionRow& row) {
  return {{"id", row.id},
          {"gid", row.gid},
          {"mode", name_of(row.mode)},
          {"status", name_of(row.status)},
          {"stuck", row.stuck},
          {"created_at", json_of(row.created_at)},
          {"updated_at", json_of(row.updated_at)},
          {"finished_at", json_of(row.finished_at)},
          {"due_at", json_of(row.due_at)},
          {"attempts", row.attempts},
          {"last_error", text_or_null(row.last_error)},
          {"obstacle", text_or_null(row.obstacle)},
          {"trace_id", text_or_null(row.trace_id)},
          {"result", text_or_null(row.result)},
          {"definition", embedded(row.definition)}};
}

Json json_of(const BranchRow& row) {
  return {{"branch_id", row.branch_id},   {"op", name_of(row.op)},
          {"target", row.target},         {"status", row.status},
          {"attempts", row.attempts},     {"last_error", text_or_null(row.last_error)},
          {"due_at", json_of(row.due_at)}};
}

Json json_of(const TimelineRow& row) {
  return {{"at", json_of(row.at)},
          {"event", row.event},
          {"branch_id", text_or_null(row.branch_id)},
          {"op", text_or_null(row.op)},
          {"outcome", text_or_null(row.outcome)},
          {"detail", text_or_null(row.detail)},
          {"repeats", row.repeats}};
}

Json json_of(const ProgressRow& row) {
  return {{"branch_id", row.progress.branch_id},
          {"op", row.progress.op},
          {"status", row.progress.status},
          {"data", text_or_null(row.progress.data)},
          {"at", json_of(row.at)}};
}

std::vector<Json> json_rows_of(const Topic& topic) {
  std::vector<Json> rows;
  for (const auto& one : topic.subscriptions) {
    rows.push_back(
        {{"topic", one.topic}, {"target", one.target}, {"remark", text_or_null(one.remark)}});
  }
  if (rows.empty())
    rows.push_back({{"topic", topic.name}, {"target", nullptr}, {"remark", nullptr}});
  return rows;
}

}  // namespace belay::tool
