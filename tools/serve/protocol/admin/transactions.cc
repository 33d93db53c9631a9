// Transactions as the state file has them.
#include <fmt/format.h>

#include <utility>

#include "payload/shown_payloads.h"
#include "serve/protocol/admin/filters.h"
#include "serve/protocol/admin/handlers.h"
#include "serve/protocol/parse.h"
#include "view/explain.h"
#include "view/hide.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

Result<Json> list_page(Reader& reader, const Filter& filter, Secrets secrets) {
  auto page = reader.list(filter);
  if (!page) return page.error();
  auto rows = Json::array();
  for (auto& row : page->rows) {
    row.definition.clear();
    if (secrets == Secrets::hidden) tool::hide_secrets(row);
    auto object = tool::json_of(row);
    object.erase("definition");
    rows.push_back(std::move(object));
  }
  Json next;
  if (page->next_before_id != 0) next = page->next_before_id;
  return Json{{"transactions", std::move(rows)}, {"next_before", std::move(next)}};
}

// Of the payloads of an answer: it is built and parsed whole, and each value of it takes two bytes
// at least.
constexpr std::size_t kPayloadsAnsweredMax = std::size_t{256} * 1024;
static_assert(kPayloadsAnsweredMax / 2 < kValuesMax, "belay show --server reads each answer");

Result<WholeTransaction> read_whole(Reader& reader, const std::string& gid) {
  auto whole = reader.read(gid);
  if (whole || whole.error().code != ErrorCode::not_found) return whole;
  return Error{ErrorCode::not_found,
               fmt::format("there is no transaction '{}'", tool::printable(gid))};
}

Json json_shown(WholeTransaction whole, Secrets secrets) {
  if (secrets == Secrets::hidden) tool::hide_secrets(whole);
  return tool::json_of(whole);
}

// Messages are decoded before secrets are taken out: that changes their lengths.
Json json_with_payloads(WholeTransaction whole, Secrets secrets, const tool::MessageTypes& types) {
  using tool::PayloadSecrets;
  const auto of_payloads =
      secrets == Secrets::hidden ? PayloadSecrets::hide : PayloadSecrets::shown;
  auto payloads = tool::shown_payloads(whole, types, of_payloads, kPayloadsAnsweredMax);
  auto object = json_shown(std::move(whole), secrets);
  object["payloads"] = tool::json_of(payloads);
  return object;
}

}  // namespace

void list(const Turn& turn, const http::Respond& respond) {
  Query query(turn.request, with_filters({"finished", "stuck"}));
  auto filter = read_filter(query);
  filter.finished = query.flag("finished");
  filter.stuck = query.flag("stuck");
  if (query.wrong()) return respond(bad_request(query.wrong()->detail));
  answer_from_file(turn, respond,
                   [filter, secrets = turn.context->options.secrets](Reader& reader) {
                     return list_page(reader, filter, secrets);
                   });
}

void show(const Turn& turn, const http::Respond& respond) {
  Query query(turn.request, {"payloads"});
  const bool payloads = query.flag("payloads").value_or(false);
  if (query.wrong()) return respond(bad_request(query.wrong()->detail));
  if (payloads && turn.caller.role < Role::admin)
    return respond(error(403, "forbidden", "payloads need a token of the role admin"));
  answer_from_file(turn, respond,
                   [gid = *turn.parameter, payloads, secrets = turn.context->options.secrets,
                    types = turn.context->options.message_types](Reader& reader) -> Result<Json> {
                     auto whole = read_whole(reader, gid);
                     if (!whole) return whole.error();
                     if (payloads && types)
                       return json_with_payloads(std::move(*whole), secrets, *types->get());
                     if (!payloads) tool::hide_payloads(*whole);
                     return json_shown(std::move(*whole), secrets);
                   });
}

void why(const Turn& turn, const http::Respond& respond) {
  answer_from_file(turn, respond,
                   [gid = *turn.parameter,
                    secrets = turn.context->options.secrets](Reader& reader) -> Result<Json> {
                     auto whole = read_whole(reader, gid);
                     if (!whole) return whole.error();
                     if (secrets == Secrets::hidden) tool::hide_secrets(*whole);
                     auto engine = reader.engine_state();
                     if (!engine) return engine.error();
                     if (secrets == Secrets::hidden) tool::hide_secrets(*engine);
                     return tool::json_of(tool::explain(*whole, *engine, tool::now()), whole->row,
                                          *engine);
                   });
}

}  // namespace belay::protocol::admin
