#include "view/rows.h"

#include <utility>

namespace belay::tool {
namespace {

Json time_json(TimePoint at) { return at.time_since_epoch().count(); }

Json time_json(const std::optional<TimePoint>& at) { return at ? time_json(*at) : Json(); }

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

// A definition that is no JSON is shown as a string.
Json embedded(const std::string& text) {
  if (text.empty()) return {};
  auto parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(text) : parsed;
}

template <class Row>
Json json_of_all(const std::vector<Row>& rows) {
  Json array = Json::array();
  for (const auto& row : rows) array.push_back(json_of(row));
  return array;
}

}  // namespace

Json json_of(const TransactionRow& row) {
  return {{"id", row.id},
          {"gid", row.gid},
          {"mode", name_of(row.mode)},
          {"status", name_of(row.status)},
          {"stuck", row.stuck},
          {"created_at", time_json(row.created_at)},
          {"updated_at", time_json(row.updated_at)},
          {"finished_at", time_json(row.finished_at)},
          {"due_at", time_json(row.due_at)},
          {"attempts", row.attempts},
          {"last_error", text_or_null(row.last_error)},
          {"obstacle", text_or_null(row.obstacle)},
          {"trace_id", text_or_null(row.trace_id)},
          {"result", text_or_null(row.result)},
          {"definition", embedded(row.definition)}};
}

Json json_of(const BranchRow& row) {
  return {{"branch_id", row.branch_id},     {"op", name_of(row.op)},
          {"target", row.target},           {"status", row.status},
          {"attempts", row.attempts},       {"last_error", text_or_null(row.last_error)},
          {"due_at", time_json(row.due_at)}};
}

Json json_of(const TimelineRow& row) {
  return {{"at", time_json(row.at)},
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
          {"at", time_json(row.at)}};
}

Json json_of(const WholeTransaction& whole) {
  auto object = json_of(whole.row);
  object["branches"] = json_of_all(whole.branches);
  object["timeline"] = json_of_all(whole.timeline);
  object["progress"] = json_of_all(whole.progress);
  return object;
}

Json json_of(const HostFigures& host) {
  return {{"host", host.host},
          {"breaker", name_of(host.breaker)},
          {"in_flight", host.in_flight},
          {"success", host.success},
          {"failure", host.failure},
          {"ongoing", host.ongoing},
          {"unknown", host.unknown},
          {"no_connection", host.no_connection},
          {"breaker_opened", host.breaker_opened}};
}

Json json_of(const NameFigures& name) {
  return {{"name", name.name},
          {"source", name.source},
          {"endpoints", name.endpoints},
          {"known", name.known},
          {"stale_ms", name.stale_for.count()},
          {"lists", name.lists},
          {"failures", name.failures},
          {"last_error", text_or_null(name.last_error)}};
}

Json json_of(const Hold& hold) {
  return {{"target", hold.target},
          {"reason", hold.reason},
          {"asked_by", hold.asked_by},
          {"at", time_json(hold.at)}};
}

Json json_of(const Topic& topic) {
  Json object{{"name", topic.name}, {"subscriptions", Json::array()}};
  for (const auto& one : topic.subscriptions)
    object["subscriptions"].push_back(
        {{"target", one.target}, {"remark", text_or_null(one.remark)}});
  return object;
}

std::vector<Json> json_rows_of(const Topic& topic) {
  const auto object = json_of(topic);
  std::vector<Json> rows;
  for (const auto& one : object.at("subscriptions")) {
    Json row{{"topic", topic.name}};
    row.update(one);
    rows.push_back(std::move(row));
  }
  if (rows.empty())
    rows.push_back({{"topic", topic.name}, {"target", nullptr}, {"remark", nullptr}});
  return rows;
}

}  // namespace belay::tool
