#include "serve/protocol/admin/routes.h"

#include <array>
#include <string>
#include <string_view>

#include "serve/protocol/admin/handlers.h"
#include "serve/protocol/admin/once.h"
#include "serve/protocol/admin/query.h"
#include "serve/protocol/admin/verbs.h"

namespace belay::protocol::admin {
namespace {

constexpr std::string_view kBase = "/api/belay/v1";

// A path with a parameter that cannot be decoded gets as far as here, so that it needs the same
// role.
bool has_parameter(const Turn& turn) {
  if (turn.parameter || turn.route.path.find('{') == std::string_view::npos) return true;
  turn.respond()(bad_request("the path is not percent-encoded as it must be"));
  return false;
}

bool is_without_query(const Turn& turn) {
  const Query query(turn.request, {});
  if (!query.wrong()) return true;
  turn.respond()(bad_request(query.wrong()->detail));
  return false;
}

// A question whose function reads its query itself.
template <Handler kHandler>
void ask_with(Turn& turn) {
  if (has_parameter(turn)) kHandler(turn, turn.respond());
}

template <Handler kHandler>
void ask(Turn& turn) {
  if (has_parameter(turn) && is_without_query(turn)) kHandler(turn, turn.respond());
}

template <Handler kHandler>
void change(Turn& turn) {
  if (has_parameter(turn) && is_without_query(turn)) handle_once(turn, kHandler);
}

constexpr std::array<Route, 25> kRoutes = {{
    {"GET", "/api/belay/v1/openapi.json", "v1-openapi", Role::anybody, ask<openapi>},
    {"GET", "/api/belay/v1/overview", "v1-overview", Role::read, ask<overview>},
    {"GET", "/api/belay/v1/history", "v1-history", Role::read, ask<history>},
    {"GET", "/api/belay/v1/events", "v1-events", Role::read, ask<events>},
    {"GET", "/api/belay/v1/transactions", "v1-list", Role::read, ask_with<list>},
    {"POST", "/api/belay/v1/transactions", "v1-submit", Role::submit, change<submit>},
    {"GET", "/api/belay/v1/transactions/{gid}", "v1-show", Role::read, ask_with<show>},
    {"GET", "/api/belay/v1/transactions/{gid}/why", "v1-why", Role::read, ask<why>},
    {"POST", "/api/belay/v1/transactions/{gid}/replay", "v1-replay", Role::admin,
     change<verb<Verb::replay>>},
    {"POST", "/api/belay/v1/transactions/{gid}/stop", "v1-stop", Role::admin,
     change<verb<Verb::stop>>},
    {"POST", "/api/belay/v1/transactions/{gid}/back", "v1-back", Role::admin,
     change<verb<Verb::back>>},
    {"POST", "/api/belay/v1/transactions/{gid}/resolve", "v1-resolve", Role::admin,
     change<verb<Verb::resolve>>},
    {"POST", "/api/belay/v1/transactions/{gid}/edit", "v1-edit", Role::admin,
     change<verb<Verb::edit>>},
    {"POST", "/api/belay/v1/targets/hold", "v1-hold", Role::admin, change<verb<Verb::hold>>},
    {"POST", "/api/belay/v1/targets/release", "v1-release", Role::admin,
     change<verb<Verb::release>>},
    {"POST", "/api/belay/v1/log-level", "v1-log-level", Role::admin, change<verb<Verb::log_level>>},
    {"GET", "/api/belay/v1/stuck", "v1-stuck", Role::read, ask_with<stuck>},
    {"GET", "/api/belay/v1/stuck/transactions", "v1-stuck-list", Role::read,
     ask_with<stuck_transactions>},
    {"GET", "/api/belay/v1/hosts", "v1-hosts", Role::read, ask<hosts>},
    {"GET", "/api/belay/v1/names", "v1-names", Role::read, ask<names>},
    {"GET", "/api/belay/v1/holds", "v1-holds", Role::read, ask<holds>},
    {"GET", "/api/belay/v1/topics", "v1-topics", Role::read, ask<topics>},
    {"POST", "/api/belay/v1/topics/subscribe", "v1-subscribe", Role::admin,
     change<verb<Verb::subscribe>>},
    {"POST", "/api/belay/v1/topics/unsubscribe", "v1-unsubscribe", Role::admin,
     change<verb<Verb::unsubscribe>>},
    {"POST", "/api/belay/v1/topics/delete", "v1-delete", Role::admin,
     change<verb<Verb::remove_topic>>},
}};

}  // namespace

std::span<const Route> routes() { return kRoutes; }

bool owns(const http::Request& request) {
  std::string_view path = request.path;
  if (!path.starts_with(kBase)) return false;
  path.remove_prefix(kBase.size());
  return path.empty() || path.starts_with('/');
}

http::Response no_route(const http::Request& request) {
  std::string methods;
  for (const auto& route : kRoutes) {
    if (!takes_path(route, request)) continue;
    if (!methods.empty()) methods += ", ";
    methods += route.method;
  }
  if (methods.empty()) return error(404, "not_found", "there is no such path");
  auto response = error(405, "method_not_allowed", "this path takes " + methods);
  response.headers.emplace_back("Allow", methods);
  return response;
}

}  // namespace belay::protocol::admin
