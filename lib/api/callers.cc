#include "api/callers.h"

#include "api/targets.h"
#include "base/cause.h"
#include "belay/features.h"
#include "hook/url.h"

namespace belay::api {
namespace {

bool is_hook(std::string_view target) { return BELAY_HAS_HOOKS != 0 && hook::is_url(target); }

}  // namespace

ports::Caller::Kind Callers::kind_of(std::string_view target) {
  return is_hook(target) ? Kind::timed : handlers_.kind_of(target);
}

ports::Lane Callers::lane_of(std::string_view target) {
  return is_hook(target) ? hooks_.lane_of(target) : handlers_.lane_of(target);
}

Result<> Callers::check(std::string_view target, std::string_view payload,
                        const std::vector<Header>& headers) {
  return check_edited(hooks_, target, payload, headers);
}

std::string Callers::host_of(std::string_view target) {
  if (!hook::is_url(target)) return {};
  auto made = hook::make_target(target);
  return made ? std::move(made->host) : std::string();
}

std::string Callers::plain_target(std::string_view target) {
  if (!hook::is_url(target)) return std::string(target);
  if (hook::protocol_of(target) == hook::Protocol::grpc) {
    auto host = base::host_of(target);
    return host.size() == target.size() ? host : std::string(target);
  }
  const auto url = hook::parse_url(target);
  const bool is_host = url && url->protocol != hook::Protocol::json_rpc && url->query.empty() &&
                       (url->path.empty() || url->path == "/");
  return is_host ? host_of(target) : std::string(target);
}

bool Callers::has_place(ports::Lane lane) {
  const bool is_function = lane == Handlers::kAsync || lane == Handlers::kBlocking;
  return is_function ? handlers_.has_place(lane) : hooks_.has_place(lane);
}

void Callers::call_later(ports::CallId id, const Call& call) {
  if (is_hook(call.target)) return hooks_.call(id, call);
  handlers_.call_later(id, call);
}

}  // namespace belay::api
