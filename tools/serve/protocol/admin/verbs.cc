#include "serve/protocol/admin/verbs.h"

#include <string>
#include <utility>

#include "serve/protocol/admin/answer.h"
#include "serve/protocol/admin/verb_body.h"
#include "serve/protocol/admin/who.h"

namespace belay::protocol::admin {
namespace {

// What the verb is about, by its name.
Json object_of(const Request& request) {
  if (!request.gid.empty()) return {{"gid", request.gid}};
  if (!request.target.empty()) return {{"target", request.target}};
  if (request.verb == Verb::log_level) return {{"level", name_of(request.level)}};
  return {{"topic", request.subscription.topic}};
}

}  // namespace

void carry_out(const Turn& turn, const http::Respond& respond, Verb verb) {
  Request request{.verb = verb, .gid = turn.parameter.value_or("")};
  if (auto refusal = read_verb(turn.request, turn.context->options, request))
    return respond(std::move(*refusal));
  auto asker = asker_of(turn);
  if (!asker) return respond(error(asker.error()));
  request.asked_by = asker->text;
  auto taken = object_of(request);
  taken["verb"] = name_of(verb);
  taken["taken"] = true;
  const Subject subject{request.gid, request.subscription.topic, request.target};
  const auto told = [respond, taken = std::move(taken),
                     audit = Audit(turn, std::move(*asker), subject)](const Result<>& result) {
    if (!result) return respond(error(result.error()));
    audit.tell();
    respond(value(taken));
  };
  protocol::ask<std::monostate>(told, [&](DoneCallback done) {
    return turn.context->engine.carry_out(request, std::move(done));
  });
}

}  // namespace belay::protocol::admin
