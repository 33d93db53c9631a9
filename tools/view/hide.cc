#include "view/hide.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/secrets.h"

namespace belay::tool {
namespace {

using Json = nlohmann::ordered_json;

void hide_in(std::string& text) { text = base::without_secrets(text); }

// Headers are pairs of a name and a value.
void hide_in_headers(Json& headers) {
  if (!headers.is_array()) return;
  for (auto& header : headers) {
    const bool is_pair = header.is_array() && header.size() == 2 && header[0].is_string();
    if (is_pair && base::is_secret_name(header[0].get_ref<const std::string&>()))
      header[1] = base::kHidden;
  }
}

void hide_in(Json& json) {
  if (json.is_string()) return hide_in(json.get_ref<std::string&>());
  if (json.is_array()) {
    for (auto& one : json) hide_in(one);
  }
  if (!json.is_object()) return;
  for (auto& [key, value] : json.items()) {
    if (key == "headers") hide_in_headers(value);
    hide_in(value);
  }
}

// The places of a step's parts in a definition: see the schema of the state file.
enum StepPlace : std::size_t { kPayload = 2, kOptions = 3 };

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// What may be shown of a definition and of a step's options; a later belay may write more.
constexpr std::array<std::string_view, 9> kShown = {
    "steps",        "query",       "concurrent", "orders", "delay_ms", "name", "timeout_to_fail_ms",
    "trace_parent", "before_edits"};
constexpr std::array<std::string_view, 3> kOptionsShown = {"request_timeout_ms", "retry",
                                                           "subscriber_of"};

template <std::size_t kCount>
void keep_only(Json& object, const std::array<std::string_view, kCount>& names) {
  for (auto member = object.begin(); member != object.end();) {
    const bool stays = std::find(names.begin(), names.end(), member.key()) != names.end();
    member = stays ? std::next(member) : object.erase(member);
  }
}

void hide_payload_in(Json& step) {
  if (!step.is_array()) return;
  if (step.size() > kPayload) step[kPayload] = nullptr;
  if (step.size() > kOptions && step[kOptions].is_object())
    keep_only(step[kOptions], kOptionsShown);
}

}  // namespace

std::optional<std::string> refuse_hidden(std::string_view name, std::string_view text) {
  if (text.find(base::kHidden) == std::string_view::npos) return std::nullopt;
  return fmt::format("{}: '{}' stands for what was not shown; give the whole value", name,
                     base::kHidden);
}

void hide_secrets(TransactionRow& row) {
  hide_in(row.last_error);
  hide_in(row.obstacle);
  hide_in(row.result);
  const auto has = [&](std::string_view part) {
    return row.definition.find(part) != row.definition.npos;
  };
  if (!has("://") && !has("\"headers\"")) return;  // as most: they need not be parsed
  auto definition = Json::parse(row.definition, nullptr, false);
  if (definition.is_discarded()) return hide_in(row.definition);
  hide_in(definition);
  row.definition = text_of(definition);
}

void hide_secrets(WholeTransaction& whole) {
  hide_secrets(whole.row);
  for (auto& branch : whole.branches) {
    hide_in(branch.target);
    hide_in(branch.last_error);
  }
  for (auto& event : whole.timeline) hide_in(event.detail);
}

void hide_secrets(Topic& topic) {
  for (auto& subscription : topic.subscriptions) {
    hide_in(subscription.target);
    hide_in(subscription.remark);
  }
}

void hide_secrets(Hold& hold) {
  hide_in(hold.target);
  hide_in(hold.reason);
  hide_in(hold.asked_by);
}

void hide_secrets(EngineState& engine) {
  for (auto& hold : engine.holds) hide_secrets(hold);
}

void hide_payloads(WholeTransaction& whole) {
  for (auto& step : whole.progress) step.progress.data.clear();
  auto& text = whole.row.definition;
  auto definition = Json::parse(text, nullptr, false);
  if (!definition.is_object()) return text.clear();
  keep_only(definition, kShown);
  for (const char* name : {"steps", "before_edits"}) {
    if (!definition.contains(name)) continue;
    for (auto& step : definition[name]) hide_payload_in(step);
  }
  text = text_of(definition);
}

}  // namespace belay::tool
