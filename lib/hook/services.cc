#include "hook/services.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace belay::hook {
namespace {

// A failed look-up is not repeated for so long.
constexpr std::uint64_t kFailureMillis = 1'000;
// A service whose endpoints are all full or shut is looked at this often: its list may change.
constexpr std::uint64_t kLookMillis = 1'000;

// "grpc://10.0.0.1:50051", as the table of hosts knows it.
std::string host_name(std::string_view prefix, const Endpoint& endpoint) {
  if (base::starts_with_ignoring_case(prefix, "jsonrpc+")) prefix.remove_prefix(8);
  auto out =
      base::lower(prefix) + "://" + base::lower(names::text_of({endpoint.host, endpoint.port}));
  const std::string_view default_port = prefix == "http" ? ":80" : prefix == "https" ? ":443" : "";
  if (!default_port.empty() && out.ends_with(default_port))
    out.resize(out.size() - default_port.size());
  return out;
}

}  // namespace

Services::Service* Services::service_of(std::string_view target) {
  auto parsed = names::parse_name(target);
  if (!parsed) return nullptr;
  const auto key = parsed->prefix + " " + parsed->name.identity;
  if (const auto found = services_.find(key); found != services_.end()) return &found->second;
  if (services_.size() >= options_.hosts_max) forget_some();
  auto& made = services_[key];
  made.lane = hosts_.new_lane();
  made.prefix = parsed->prefix;
  made.name = std::move(parsed->name);
  by_lane_.emplace(made.lane, &made);
  return &made;
}

// An unknown lane has a place, so nothing is lost but a service's state.
void Services::forget_some() {
  std::erase_if(services_, [this](auto& one) {
    if (one.second.wanted || one.second.ticket != 0) return false;
    by_lane_.erase(one.second.lane);
    return true;
  });
}

ports::Lane Services::lane_of(std::string_view target) {
  const auto* service = service_of(target);
  return service == nullptr ? 0 : service->lane;
}

LaneWait* Services::find(ports::Lane lane) {
  const auto found = by_lane_.find(lane);
  return found == by_lane_.end() ? nullptr : found->second;
}

// Null: it was not called, or is forgotten, and so has a place.
HostEntry* Services::host_of(const Service& service, const Endpoint& endpoint) {
  return hosts_.find(host_name(service.prefix, endpoint));
}

names::Balancer* Services::look_up(Service& service, std::uint64_t now) {
  if (service.ticket != 0) return nullptr;
  if (!service.failure.empty() && now < service.failed_at + kFailureMillis) return nullptr;
  service.failure.clear();
  const auto lane = service.lane;
  const auto found = directory_.look_up(
      service.name, [this, lane](names::Balancer* balancer, const std::string& why) {
        const auto it = by_lane_.find(lane);
        if (it == by_lane_.end()) return;
        it->second->ticket = 0;
        if (balancer == nullptr) {
          it->second->failure = why;
          it->second->failed_at = clock_();
        }
        stirred_(lane);
      });
  if (found.service == nullptr && found.ticket == 0) {
    service.failure = "this system has no resources to look it up";
    service.failed_at = now;
  }
  if (found.service == nullptr) service.ticket = found.ticket;
  return found.service;
}

std::uint64_t Services::place_at(ports::Lane lane, std::uint64_t now) {
  auto& service = *by_lane_.at(lane);
  auto* balancer = look_up(service, now);
  if (balancer == nullptr) return service.failure.empty() ? Host::kNever : now;
  if (balancer->endpoints().empty()) return now;  // the call is told
  auto best = Host::kNever;
  for (const auto& endpoint : balancer->endpoints()) {
    auto* entry = host_of(service, endpoint);
    best = std::min(best, entry == nullptr ? now : entry->host.place_at(now));
    if (best <= now) return now;
    if (entry->services.size() < options_.hosts_max) entry->services.insert(lane);
  }
  return std::min(best, now + kLookMillis);
}

Result<std::string> Services::pick(std::string_view target, std::uint64_t now) {
  const auto parsed = names::parse_name(target);
  if (!parsed) return parsed.error();
  auto& service = *service_of(target);
  const auto nobody = [&](const std::string& why) {
    return Error{ErrorCode::not_found,
                 "no connection: " + service.name.shown() + " has no endpoint: " + why};
  };
  auto* balancer = look_up(service, now);
  if (balancer == nullptr)
    return nobody(service.failure.empty() ? "it is being looked up" : service.failure);
  const auto* endpoint =
      balancer->pick(options_.balance, [&](const Endpoint& one) -> names::Condition {
        auto* entry = host_of(service, one);
        if (entry == nullptr) return {};
        const auto at = entry->host.place_at(now);
        // A host that is full is passed over as one that does not answer.
        return {at > now, at, entry->host.figures().in_flight};
      });
  if (endpoint == nullptr) return nobody("its list is empty");
  return parsed->at(*endpoint);
}

void Services::clear() {
  for (auto& [key, service] : services_) directory_.forget(service.ticket);
  services_.clear();
  by_lane_.clear();
}

}  // namespace belay::hook
