#include "serve/protocol/admin/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "base/utf8.h"
#include "serve/protocol/admin/answer.h"
#include "serve/protocol/parse.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

bool is_json(std::string_view content_type) {
  const auto media = base::trimmed(content_type.substr(0, content_type.find(';')));
  return base::equal_ignoring_case(media, "application/json");
}

// A member of the outermost object that comes twice: readers differ about which of the two counts.
std::optional<std::string> repeated_member(const std::string& text) {
  std::set<std::string> seen;
  std::optional<std::string> repeated;
  const auto look = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    const bool is_member = depth == 1 && event == nlohmann::json::parse_event_t::key;
    if (is_member && !seen.insert(parsed.get<std::string>()).second)
      repeated = parsed.get<std::string>();
    return true;
  };
  const auto parsed = nlohmann::json::parse(text, look, false);
  return parsed.is_discarded() ? std::nullopt : repeated;
}

std::optional<std::string> take(const nlohmann::json& object, const TextMember& member) {
  const auto found = object.find(member.name);
  if (found == object.end()) {
    if (member.need == Need::required) return fmt::format("'{}' is missing", member.name);
    return std::nullopt;
  }
  if (!found->is_string()) return fmt::format("'{}' must be a string", member.name);
  member.into = found->get<std::string>();
  if (member.into.size() > member.bytes_max)
    return fmt::format("'{}' has {} bytes, the limit is {}", member.name, member.into.size(),
                       member.bytes_max);
  if (!base::is_text(member.into)) return fmt::format("'{}' must be a text", member.name);
  if (member.need == Need::required && member.into.empty())
    return fmt::format("'{}' is empty", member.name);
  return std::nullopt;
}

}  // namespace

std::optional<http::Response> refuse_body(const http::Request& request, std::size_t bytes_max) {
  if (request.body.size() > bytes_max)
    return error(
        413, "too_large",
        fmt::format("the body has {} bytes, the limit is {}", request.body.size(), bytes_max));
  if (request.body.empty() || is_json(request.header("Content-Type"))) return std::nullopt;
  return error(415, "unsupported_media_type", "the Content-Type must be application/json");
}

Read read_object(const http::Request& request, std::size_t bytes_max) {
  if (auto refusal = refuse_body(request, bytes_max)) return {{}, std::move(refusal)};
  if (request.body.empty()) return {};
  auto object = parse_object(request.body);
  if (!object) return {{}, bad_request(object.error().detail)};
  if (const auto repeated = repeated_member(request.body))
    return {{}, bad_request(fmt::format("'{}' comes twice", tool::printable(*repeated)))};
  return {std::move(*object), std::nullopt};
}

std::optional<std::string> take_texts(const nlohmann::json& object,
                                      std::initializer_list<TextMember> members,
                                      std::initializer_list<std::string_view> others) {
  const auto is_known = [&](const std::string& key) {
    return std::find(others.begin(), others.end(), key) != others.end() ||
           std::any_of(members.begin(), members.end(),
                       [&](const auto& member) { return member.name == key; });
  };
  for (const auto& [key, value] : object.items()) {
    if (!is_known(key)) return fmt::format("there is no member '{}'", tool::printable(key));
  }
  for (const auto& member : members) {
    if (auto wrong = take(object, member)) return wrong;
  }
  return std::nullopt;
}

}  // namespace belay::protocol::admin
