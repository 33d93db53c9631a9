#include "payload/payloads.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/base64.h"
#include "belay/msg.h"
#include "names/name.h"

namespace belay::tool {
namespace {

using Definition = nlohmann::json;
using Bytes = std::shared_ptr<const std::string>;

// The places of a step's parts in a definition: see the schema of the state file.
enum PayloadPlace : std::size_t { kPayloadAt = 2, kOptionsAt = 3 };

// A value that was bytes: a text, or {"base64": …}.
std::string bytes_in(const Definition& value) {
  if (value.is_string()) return value.get<std::string>();
  const auto found = value.is_object() ? value.find("base64") : value.end();
  if (!value.is_object() || found == value.end() || !found->is_string()) return {};
  return base::from_base64(found->get_ref<const std::string&>()).value_or(std::string());
}

// The place, from 1, of the step whose payload this one shares; 0: it has its own.
std::size_t parent_of(const Definition& step) {
  if (step.size() <= kOptionsAt || !step[kOptionsAt].is_object()) return 0;
  const auto found = step[kOptionsAt].find("subscriber_of");
  const bool is_there = found != step[kOptionsAt].end() && found->is_number_unsigned();
  return is_there ? found->get<std::size_t>() : 0;
}

std::vector<Bytes> bytes_of_steps(const std::string& text) {
  std::vector<Bytes> all;
  const auto definition = Definition::parse(text, nullptr, false);
  if (!definition.is_object() || !definition.contains("steps")) return all;
  for (const auto& step : definition.at("steps")) {
    const auto parent = parent_of(step);
    const bool has_own = step.is_array() && step.size() > kPayloadAt;
    if (parent > 0 && parent <= all.size()) {
      all.push_back(all[parent - 1]);
    } else {
      all.push_back(std::make_shared<const std::string>(has_own ? bytes_in(step[kPayloadAt]) : ""));
    }
  }
  return all;
}

bool has_scheme(std::string_view target, std::string_view scheme) {
  return target.size() > scheme.size() && target.starts_with(scheme);
}

}  // namespace

std::optional<std::string> grpc_method_of(std::string_view target) {
  std::string path;
  if (has_scheme(target, "grpc://") || has_scheme(target, "grpcs://")) {
    target.remove_prefix(target.find("://") + 3);
    const auto slash = target.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    path = target.substr(slash);
  } else if (names::is_name(target)) {
    auto name = names::parse_name(target);
    if (!name || !name->prefix.starts_with("grpc")) return std::nullopt;
    path = std::move(name->rest);
  }
  if (path.size() < 2) return std::nullopt;
  return path.substr(1, path.find('?') - 1);
}

std::vector<Payload> payloads_of(const WholeTransaction& whole) {
  const auto of_steps = bytes_of_steps(whole.row.definition);
  std::vector<Payload> payloads;
  std::size_t step = 0;
  for (std::size_t i = 0; i < whole.branches.size(); ++i) {
    const auto& row = whole.branches[i];
    if (i > 0 && row.branch_id != whole.branches[i - 1].branch_id) ++step;
    if (step >= of_steps.size()) break;
    if (row.target.empty() || row.target.starts_with(kTopicPrefix)) continue;
    if (of_steps[step]->empty() && !grpc_method_of(row.target)) continue;
    payloads.push_back({row.branch_id, row.op, row.target, of_steps[step]});
  }
  return payloads;
}

}  // namespace belay::tool
