#include "hook/json_rpc.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/utf8.h"
#include "hook/json.h"
#include "hook/words.h"

namespace belay::hook {
namespace {

constexpr std::size_t kRpcReasonBytes = 1024;
constexpr std::string_view kJsonRpcFailure = "-32901";
constexpr std::string_view kJsonRpcOngoing = "-32902";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

using Members = std::vector<JsonMember>;

bool has(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

std::size_t count(const Members& members, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(members.begin(), members.end(),
                    [&](const JsonMember& one) { return json_text(one.name) == name; }));
}

// The value as written; empty if there is no such member.
std::string_view written(const Members& members, std::string_view name) {
  for (const auto& one : members) {
    if (json_text(one.name) == name) return one.value;
  }
  return {};
}

bool is_nothing(std::string_view value) { return value.empty() || value == "null"; }

// The string value of a member; nothing if the value has another type.
std::optional<std::string> text_of(std::string_view value) {
  if (!value.starts_with('"')) return std::nullopt;
  return json_text(value.substr(1, value.size() - 2));
}

// The first of these names that occurs twice: parsers differ in which member counts.
template <std::size_t N>
std::string_view said_twice(const Members& members, const std::array<std::string_view, N>& names) {
  for (const auto name : names) {
    if (count(members, name) > 1) return name;
  }
  return {};
}

Outcome bad(std::string_view why, std::string_view body) {
  auto reason = "the response is no JSON-RPC answer, " + std::string(why) + ": ";
  return Outcome::unknown(reason.append(body.substr(0, kRpcReasonBytes)));
}

Outcome read_error(std::string_view error, std::string_view body) {
  constexpr std::array<std::string_view, 2> kNames = {"code", "message"};
  const auto parts = json_members(error);
  if (!parts) return bad("its error is no object", body);
  if (!said_twice(*parts, kNames).empty()) return bad("its error says a thing twice", body);
  const auto reason = std::string(error.substr(0, kRpcReasonBytes));
  const auto code = written(*parts, "code");
  if (code == kJsonRpcFailure) return Outcome::failure(reason);
  if (code == kJsonRpcOngoing) return Outcome::ongoing(reason);
  // dtm has no error codes: it looks for the words in the message.
  const auto message = text_of(written(*parts, "message")).value_or("");
  if (has(message, kOngoingWord)) return Outcome::ongoing(reason);
  if (has(message, kFailureWord)) return Outcome::failure(reason);
  return Outcome::unknown("JSON-RPC error: " + reason);
}

// Like dtm, this function searches the whole answer for the two words: services report a failure in
// texts of their own.
Outcome read_result(std::string_view result) {
  const auto reason = std::string(result.substr(0, kRpcReasonBytes));
  if (json_has_string_with(result, kOngoingWord)) return Outcome::ongoing(reason);
  if (json_has_string_with(result, kFailureWord)) return Outcome::failure(reason);
  return Outcome::success();
}

// dtm's own answers have no id.
std::optional<Outcome> read_dtm(const Members& members, std::string_view body) {
  const auto said = text_of(written(members, "dtm_result"));
  if (said == kOngoingWord) return Outcome::ongoing(std::string(body.substr(0, kRpcReasonBytes)));
  if (said == kFailureWord) return Outcome::failure(std::string(body.substr(0, kRpcReasonBytes)));
  const bool is_rpc = count(members, "jsonrpc") + count(members, "id") + count(members, "error") +
                          count(members, "result") !=
                      0;
  if (said == "SUCCESS" && !is_rpc) return Outcome::success();
  return std::nullopt;
}

}  // namespace

Outcome read_json_rpc(std::string_view body, std::string_view id) {
  constexpr std::array<std::string_view, 5> kNames = {"jsonrpc", "id", "result", "error",
                                                      "dtm_result"};
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  const auto members = base::is_text(body) ? json_members(body) : std::nullopt;
  if (!members) return bad("it is no JSON object", body);
  if (const auto name = said_twice(*members, kNames); !name.empty())
    return bad("it says '" + std::string(name) + "' twice", body);
  if (const auto plain = read_dtm(*members, body)) return *plain;
  const auto version = written(*members, "jsonrpc");
  if (!version.empty() && text_of(version) != "2.0") return bad("its version is not 2.0", body);
  if (text_of(written(*members, "id")) != id) return bad("its id is not the call's", body);
  const auto error = written(*members, "error");
  const auto result = written(*members, "result");
  if (is_nothing(error))
    return result.empty() ? bad("it has no result", body) : read_result(result);
  const auto inside = json_members(result);
  const bool has_result = !is_nothing(result) && !(inside && inside->empty());
  return has_result ? bad("it has both a result and an error", body) : read_error(error, body);
}

}  // namespace belay::hook
