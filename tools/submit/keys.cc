#include "submit/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "nearest.h"

namespace belay::tool {
namespace {

using Keys = std::vector<std::string>;

constexpr std::size_t kShownKeyBytes = 64;  // of a key

// What protocol::read_transaction reads, and passthrough_headers: dtm's clients always write it,
// and a file comes with no headers to pass through.
const Keys& keys_of_definition() {
  static const Keys keys = {
      "gid",         "trans_type",         "steps",           "payloads",        "query_prepared",
      "protocol",    "custom_data",        "rollback_reason", "branch_headers",  "req_extra",
      "wait_result", "concurrent",         "timeout_to_fail", "request_timeout", "retry_interval",
      "retry_limit", "passthrough_headers"};
  return keys;
}

const Keys& keys_of_step() {
  static const Keys keys = {"action", "compensate", "data"};
  return keys;
}

std::optional<std::string> unknown_key(const protocol::Json& object, const Keys& known) {
  for (const auto& [key, value] : object.items()) {
    const auto same = [&key = key](const std::string& name) {
      return base::equal_ignoring_case(key, name);
    };
    if (std::any_of(known.begin(), known.end(), same)) continue;
    return fmt::format("there is no key '{}'{}", key.substr(0, kShownKeyBytes),
                       did_you_mean(key, known));
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unknown_key(const protocol::Json& definition) {
  if (auto wrong = unknown_key(definition, keys_of_definition())) return wrong;
  for (const auto& [name, value] : definition.items()) {
    if (!base::equal_ignoring_case(name, "steps") || !value.is_array()) continue;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (!value[i].is_object()) continue;
      if (const auto wrong = unknown_key(value[i], keys_of_step()))
        return fmt::format("steps[{}]: {}", i, *wrong);
    }
  }
  return std::nullopt;
}

}  // namespace belay::tool
