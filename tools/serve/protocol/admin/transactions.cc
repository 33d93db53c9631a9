// Transactions as the state file has them.
#include <fmt/format.h>

#include <utility>

#include "serve/protocol/admin/filters.h"
#include "serve/protocol/admin/handlers.h"
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

Result<WholeTransaction> read_shown(Reader& reader, const std::string& gid, Secrets secrets) {
  auto whole = reader.read(gid);
  if (whole && secrets == Secrets::hidden) tool::hide_secrets(*whole);
  if (whole || whole.error().code != ErrorCode::not_found) return whole;
  return Error{ErrorCode::not_found,
               fmt::format("there is no transaction '{}'", tool::printable(gid))};
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
                   [gid = *turn.parameter, payloads,
                    secrets = turn.context->options.secrets](Reader& reader) -> Result<Json> {
                     auto whole = read_shown(reader, gid, secrets);
                     if (!whole) return whole.error();
                     if (!payloads) tool::hide_payloads(*whole);
                     return tool::json_of(*whole);
                   });
}

void why(const Turn& turn, const http::Respond& respond) {
  answer_from_file(turn, respond,
                   [gid = *turn.parameter,
                    secrets = turn.context->options.secrets](Reader& reader) -> Result<Json> {
                     const auto whole = read_shown(reader, gid, secrets);
                     if (!whole) return whole.error();
                     auto engine = reader.engine_state();
                     if (!engine) return engine.error();
                     if (secrets == Secrets::hidden) tool::hide_secrets(*engine);
                     return tool::json_of(tool::explain(*whole, *engine, tool::now()), whole->row,
                                          *engine);
                   });
}

}  // namespace belay::protocol::admin
