#include "serve/protocol/admin/verb_body.h"

#include <fmt/format.h>

#include <utility>

#include "base/base64.h"
#include "base/signed_reason.h"
#include "serve/protocol/admin/answer.h"
#include "serve/protocol/admin/body.h"
#include "serve/protocol/describe.h"
#include "serve/protocol/parse.h"
#include "view/hide.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

using Wrong = std::optional<std::string>;

// The texts that become words of the request.
struct Words {
  std::string ticket;
  std::string op;
  std::string as;
  std::string target;
  std::string payload;
  std::string payload_base64;
  std::string level;
};

Wrong read_op(const Words& words, Request& request) {
  const auto op = op_from(words.op);
  if (!op) return fmt::format("'op' is '{}', no operation", tool::printable(words.op));
  request.op = *op;
  return std::nullopt;
}

Wrong read_outcome(const Words& words, Request& request) {
  for (const auto outcome : {OutcomeKind::success, OutcomeKind::failure}) {
    request.outcome = outcome;
    if (words.as == name_of(outcome)) return std::nullopt;
  }
  return fmt::format("'as' is '{}', it must be success or failure", tool::printable(words.as));
}

Wrong read_level(const Words& words, Request& request) {
  const auto level = log_level_from(words.level);
  if (!level) {
    return fmt::format("'level' is '{}', it must be debug, info, warning or error",
                       tool::printable(words.level));
  }
  request.level = *level;
  return std::nullopt;
}

// [["name", "value"], …]
Wrong read_headers(const nlohmann::json& object, std::vector<Header>& headers) {
  const auto found = object.find("headers");
  if (found == object.end()) return std::nullopt;
  constexpr const char* kForm = "'headers' must be an array of pairs of strings";
  if (!found->is_array()) return kForm;
  for (const auto& header : *found) {
    const bool is_pair =
        header.is_array() && header.size() == 2 && header[0].is_string() && header[1].is_string();
    if (!is_pair) return kForm;
    headers.push_back({header[0].get<std::string>(), header[1].get<std::string>()});
    if (auto wrong = tool::refuse_hidden("headers", headers.back().value)) return wrong;
  }
  return std::nullopt;
}

Wrong read_names(const nlohmann::json& object, std::vector<std::string>& names) {
  const auto found = object.find("without_headers");
  if (found == object.end()) return std::nullopt;
  constexpr const char* kForm = "'without_headers' must be an array of strings";
  if (!found->is_array()) return kForm;
  for (const auto& name : *found) {
    if (!name.is_string()) return kForm;
    names.push_back(name.get<std::string>());
  }
  return std::nullopt;
}

Wrong read_changes(const nlohmann::json& object, const ServiceOptions& options, Words& words,
                   Changes& changes) {
  if (object.contains("payload") && object.contains("payload_base64"))
    return "there are 'payload' and 'payload_base64'";
  if (object.contains("payload")) changes.payload = std::move(words.payload);
  if (object.contains("payload_base64")) {
    auto bytes = base::from_base64(words.payload_base64);
    if (!bytes) return "'payload_base64' is no base64";
    changes.payload = std::move(*bytes);
  }
  if (object.contains("target")) {
    if (auto wrong = wrong_target("target", words.target, options)) return wrong;
    changes.target = std::move(words.target);
  }
  if (auto wrong = read_headers(object, changes.headers)) return wrong;
  return read_names(object, changes.without_headers);
}

Wrong read_members(const nlohmann::json& object, const ServiceOptions& options, Request& request) {
  Words words;
  const bool is_harmless = request.verb == Verb::replay || request.verb == Verb::release;
  const auto need = is_harmless ? Need::optional : Need::required;
  const TextMember reason{"reason", kReasonBytesMax, need, request.reason};
  const TextMember ticket{"ticket", kTicketBytesMax, Need::optional, words.ticket};
  const TextMember branch{"branch_id", kNameBytesMax, Need::required, request.branch_id};
  const TextMember op{"op", kNameBytesMax, Need::required, words.op};
  auto& [topic, target, remark] = request.subscription;
  const TextMember its_topic{"topic", kNameBytesMax, Need::required, topic};
  const TextMember subscriber{"target", kTargetBytesMax, Need::required, target};
  Wrong wrong;
  switch (request.verb) {
    case Verb::replay:
    case Verb::stop:
    case Verb::back: wrong = take_texts(object, {reason, ticket}); break;
    case Verb::resolve:
      wrong = take_texts(
          object, {reason, ticket, branch, op, {"as", kNameBytesMax, Need::required, words.as}});
      if (!wrong) wrong = read_op(words, request);
      if (!wrong) wrong = read_outcome(words, request);
      break;
    case Verb::edit:
      wrong = take_texts(object,
                         {reason,
                          ticket,
                          branch,
                          op,
                          {"target", kTargetBytesMax, Need::optional, words.target},
                          {"payload", kBodyBytesMax, Need::optional, words.payload},
                          {"payload_base64", kBodyBytesMax, Need::optional, words.payload_base64}},
                         {"headers", "without_headers"});
      if (!wrong) wrong = read_op(words, request);
      if (!wrong) wrong = read_changes(object, options, words, request.changes);
      break;
    case Verb::hold:
    case Verb::release:
      wrong = take_texts(
          object, {reason, ticket, {"target", kTargetBytesMax, Need::required, request.target}});
      if (!wrong) wrong = tool::refuse_hidden("target", request.target);
      break;
    case Verb::subscribe:
      wrong = take_texts(
          object, {its_topic, subscriber, {"remark", kNameBytesMax, Need::optional, remark}});
      if (!wrong) wrong = wrong_target("target", target, options);
      break;
    case Verb::unsubscribe:
      wrong = take_texts(object, {its_topic, subscriber});
      if (!wrong) wrong = tool::refuse_hidden("target", target);
      break;
    case Verb::remove_topic: wrong = take_texts(object, {its_topic}); break;
    case Verb::log_level:
      wrong = take_texts(object, {{"level", kNameBytesMax, Need::required, words.level}});
      if (!wrong) wrong = read_level(words, request);
      break;
  }
  request.reason = base::with_ticket(request.reason, words.ticket);
  return wrong;
}

}  // namespace

std::optional<http::Response> read_verb(const http::Request& http, const ServiceOptions& options,
                                        Request& request) {
  const bool has_payload = request.verb == Verb::edit;
  auto read = read_object(http, has_payload ? kBodyBytesMax : kVerbBytesMax);
  if (read.refusal) return std::move(read.refusal);
  if (const auto wrong = read_members(read.object, options, request)) return bad_request(*wrong);
  return std::nullopt;
}

}  // namespace belay::protocol::admin
