// What an operator asks of one transaction: one function for all verbs, by way of the engine's own.
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "serve/protocol/admin/body.h"
#include "serve/protocol/admin/handlers.h"
#include "serve/protocol/admin/who.h"

namespace belay::protocol::admin {
namespace {

// How the branch that is resolved ended, as words.
struct Words {
  std::string op;
  std::string as;
};

std::optional<http::Response> read_words(const Words& words, Request& request) {
  const auto op = op_from(words.op);
  if (!op) return bad_request(fmt::format("'op' is '{}', no operation", words.op));
  request.op = *op;
  for (const auto outcome : {OutcomeKind::success, OutcomeKind::failure}) {
    request.outcome = outcome;
    if (words.as == name_of(outcome)) return std::nullopt;
  }
  return bad_request(fmt::format("'as' is '{}', it must be success or failure", words.as));
}

// Fills in what the body says.
std::optional<http::Response> read_request(const http::Request& http, Request& request) {
  std::string ticket;
  Words words;
  const auto need = request.verb == Verb::replay ? Need::optional : Need::required;
  const TextMember reason{"reason", kReasonBytesMax, need, request.reason};
  const TextMember its_ticket{"ticket", kTicketBytesMax, Need::optional, ticket};
  std::optional<http::Response> refusal;
  if (request.verb == Verb::resolve) {
    refusal = read_texts(http, {reason,
                                its_ticket,
                                {"branch_id", kNameBytesMax, Need::required, request.branch_id},
                                {"op", kNameBytesMax, Need::required, words.op},
                                {"as", kNameBytesMax, Need::required, words.as}});
    if (!refusal) refusal = read_words(words, request);
  } else {
    refusal = read_texts(http, {reason, its_ticket});
  }
  if (refusal) return refusal;
  if (!ticket.empty())
    request.reason += fmt::format("{}[{}]", request.reason.empty() ? "" : " ", ticket);
  return std::nullopt;
}

void carry_out(const Turn& turn, const http::Respond& respond, Verb verb) {
  Request request{.verb = verb, .gid = *turn.parameter};
  if (auto refusal = read_request(turn.request, request)) return respond(std::move(*refusal));
  auto asker = asker_of(turn);
  if (!asker) return respond(error(asker.error()));
  request.asked_by = asker->text;
  const auto told =
      [respond, gid = request.gid, verb,
       audit = Audit(turn, std::move(*asker), {.gid = request.gid})](const Result<>& result) {
        if (!result) return respond(error(result.error()));
        audit.tell();
        respond(value({{"gid", gid}, {"verb", name_of(verb)}, {"taken", true}}));
      };
  protocol::ask<std::monostate>(told, [&](DoneCallback done) {
    return turn.context->engine.carry_out(request, std::move(done));
  });
}

}  // namespace

void replay(const Turn& turn, const http::Respond& respond) {
  carry_out(turn, respond, Verb::replay);
}
void stop(const Turn& turn, const http::Respond& respond) { carry_out(turn, respond, Verb::stop); }
void back(const Turn& turn, const http::Respond& respond) { carry_out(turn, respond, Verb::back); }
void resolve(const Turn& turn, const http::Respond& respond) {
  carry_out(turn, respond, Verb::resolve);
}

}  // namespace belay::protocol::admin
