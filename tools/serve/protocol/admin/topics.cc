// Topics and their subscriptions.
#include <string>
#include <utility>

#include "serve/protocol/admin/body.h"
#include "serve/protocol/admin/handlers.h"
#include "serve/protocol/admin/query.h"
#include "serve/protocol/admin/who.h"
#include "serve/protocol/describe.h"
#include "view/hide.h"

namespace belay::protocol::admin {
namespace {

// Answers with what became of `start`, which changes the topic.
template <class Start>
void change_topic(const Turn& turn, const http::Respond& respond, const std::string& topic,
                  std::string_view verb, Start start) {
  auto asker = asker_of(turn);
  if (!asker) return respond(error(asker.error()));
  const auto told = [respond, topic, verb,
                     audit =
                         Audit(turn, std::move(*asker), {.topic = topic})](const Result<>& result) {
    if (!result) return respond(error(result.error()));
    audit.tell();
    respond(value({{"topic", topic}, {"verb", verb}, {"taken", true}}));
  };
  protocol::ask<std::monostate>(told, start);
}

}  // namespace

void topics(const Turn& turn, const http::Respond& respond) {
  const Query query(turn.request, {});
  if (query.wrong()) return respond(bad_request(query.wrong()->detail));
  answer_from_file(turn, respond,
                   [secrets = turn.context->options.secrets](Reader& reader) -> Result<Json> {
                     auto found = reader.topics();
                     if (!found) return found.error();
                     auto array = Json::array();
                     for (auto& topic : *found) {
                       if (secrets == Secrets::hidden) tool::hide_secrets(topic);
                       array.push_back(tool::json_of(topic));
                     }
                     return Json{{"topics", std::move(array)}};
                   });
}

void subscribe(const Turn& turn, const http::Respond& respond) {
  Subscription wanted;
  if (auto refusal =
          read_texts(turn.request, {{"topic", kNameBytesMax, Need::required, wanted.topic},
                                    {"target", kTargetBytesMax, Need::required, wanted.target},
                                    {"remark", kNameBytesMax, Need::optional, wanted.remark}}))
    return respond(std::move(*refusal));
  const auto target = target_of(wanted.target, {}, turn.context->options);
  if (!target) return respond(bad_request("target: " + target.error().detail));
  change_topic(turn, respond, wanted.topic, "subscribe", [&](DoneCallback done) {
    return turn.context->engine.subscribe(wanted, std::move(done));
  });
}

void unsubscribe(const Turn& turn, const http::Respond& respond) {
  std::string topic;
  std::string target;
  if (auto refusal =
          read_texts(turn.request, {{"topic", kNameBytesMax, Need::required, topic},
                                    {"target", kTargetBytesMax, Need::required, target}}))
    return respond(std::move(*refusal));
  change_topic(turn, respond, topic, "unsubscribe", [&](DoneCallback done) {
    return turn.context->engine.unsubscribe(topic, target, std::move(done));
  });
}

void delete_topic(const Turn& turn, const http::Respond& respond) {
  std::string topic;
  if (auto refusal = read_texts(turn.request, {{"topic", kNameBytesMax, Need::required, topic}}))
    return respond(std::move(*refusal));
  change_topic(turn, respond, topic, "delete", [&](DoneCallback done) {
    return turn.context->engine.remove_topic(topic, std::move(done));
  });
}

}  // namespace belay::protocol::admin
