#include "support/consul_stand_in.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string_view>

namespace belay::test {
namespace {

// The number after "name=" in a target's query, or 0.
std::uint64_t number_in(const std::string& target, const std::string& name) {
  const auto at = target.find(name + '=');
  return at == std::string::npos
             ? 0
             : std::strtoull(target.c_str() + at + name.size() + 1, nullptr, 10);
}

std::string entry_of(const std::string& instance) {
  const auto colon = instance.rfind(':');
  return R"({"Node":{"Node":"n","Address":"10.9.9.9"},"Service":{"ID":"i","Service":"s","Tags":[],)"
         R"("Address":")" +
         instance.substr(0, colon) + R"(","Port":)" + instance.substr(colon + 1) +
         R"(,"Weights":{"Passing":1,"Warning":1}},"Checks":[{"Status":"passing"}]})";
}

// The value of the member "ID" in a registration, whose first "ID" is the service's.
std::string id_in(const std::string& body) {
  const auto at = body.find(R"("ID":")");
  if (at == std::string::npos) return {};
  return body.substr(at + 6, body.find('"', at + 6) - at - 6);
}

}  // namespace

ConsulStandIn::ConsulStandIn()
    : peer_([this](const PeerRequest& request) { return answer(request); }) {}

ConsulStandIn::~ConsulStandIn() {
  const std::lock_guard lock(mutex_);
  ending_ = true;
  changed_.notify_all();
}

void ConsulStandIn::set(const std::vector<std::string>& instances) {
  const std::lock_guard lock(mutex_);
  instances_ = instances;
  ++index_;
  changed_.notify_all();
}

void ConsulStandIn::set_index(std::uint64_t index) {
  const std::lock_guard lock(mutex_);
  index_ = index;
}

void ConsulStandIn::set_mood(Mood mood) {
  const std::lock_guard lock(mutex_);
  mood_ = mood;
  changed_.notify_all();
}

void ConsulStandIn::forget() {
  const std::lock_guard lock(mutex_);
  registered_.clear();
}

std::map<std::string, std::string> ConsulStandIn::registered() {
  const std::lock_guard lock(mutex_);
  return registered_;
}

std::uint64_t ConsulStandIn::passes() {
  const std::lock_guard lock(mutex_);
  return passes_;
}

PeerAnswer ConsulStandIn::answer(const PeerRequest& request) {
  return request.target.starts_with("/v1/health/service/") ? health(request) : agent(request);
}

PeerAnswer ConsulStandIn::health(const PeerRequest& request) {
  std::unique_lock lock(mutex_);
  const auto index = number_in(request.target, "index");
  const auto wait =
      std::chrono::seconds(std::max<std::uint64_t>(number_in(request.target, "wait"), 1));
  const auto mood = mood_;
  if (index != 0 && mood == Mood::sound) {
    changed_.wait_for(lock, wait, [&] { return ending_ || mood_ != mood || index_ != index; });
  }
  switch (mood_) {
    case Mood::broken: return say(500, "No cluster leader");
    case Mood::garbage: return say(200, "<html>");
    case Mood::silent: return nothing();
    default: break;
  }
  std::string body;
  for (const auto& instance : instances_) body += (body.empty() ? "" : ",") + entry_of(instance);
  const auto header = "X-Consul-Index: " + std::to_string(index_);
  return say(200, '[' + body + ']', mood_ == Mood::without_index ? "X-Other: 1" : header);
}

PeerAnswer ConsulStandIn::agent(const PeerRequest& request) {
  const std::lock_guard lock(mutex_);
  if (mood_ != Mood::sound) return say(500, "the agent is not well");
  const auto path = request.target.substr(0, request.target.find('?'));
  const auto last = path.substr(path.rfind('/') + 1);
  if (request.method != "PUT") return say(405);
  if (path == "/v1/agent/service/register") {
    registered_[id_in(request.body)] = request.body;
    return say(200);
  }
  if (path.starts_with("/v1/agent/check/pass/service:")) {
    if (registered_.count(last.substr(8)) == 0) return say(404, "Unknown check ID");
    ++passes_;
    return say(200);
  }
  if (path.starts_with("/v1/agent/service/deregister/"))
    return registered_.erase(last) != 0 ? say(200) : say(404, "Unknown service ID");
  return say(404);
}

}  // namespace belay::test
