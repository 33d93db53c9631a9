#include "serve/registry.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/base64.h"
#include "base/percent.h"
#include "names/etcd_json.h"
#include "names/name.h"
#include "serve/http/client.h"

namespace belay::tool {
namespace {

using nlohmann::json;

constexpr Millis kRequestTimeout{2'000};
constexpr std::size_t kReasonBytes = 200;

Error refused(const http::Response& answer) {
  return {ErrorCode::storage,
          "status " + std::to_string(answer.status) + ": " + answer.body.substr(0, kReasonBytes)};
}

http::ClientRequest request_of(const HookOptions& options) {
  http::ClientRequest request;
  request.timeout = kRequestTimeout;
  request.ca_file = options.ca_file;
  request.cert_file = options.client_cert_file;
  request.key_file = options.client_key_file;
  return request;
}

// As go-zero does it: a lease, the key KEY/LEASE with the endpoint as its value.
class EtcdRegistry final : public Registry {
 public:
  EtcdRegistry(names::Name name, std::string endpoint, http::ClientRequest request)
      : name_(std::move(name)), endpoint_(std::move(endpoint)), request_(std::move(request)) {}

  Result<> enter() override;
  Result<> renew() override;
  Result<> leave() override;

 private:
  Result<std::string> post(const std::string& path, const std::string& body);
  Result<std::string> post_once(const std::string& path, const std::string& body);
  Result<> take_token();
  std::string lease_body() const { return json{{"ID", lease_}}.dump(); }

  const names::Name name_;
  const std::string endpoint_;
  const http::ClientRequest request_;  // what all have in common
  std::size_t place_ = 0;
  std::string token_;
  std::string lease_;  // a 64-bit number, which JSON has as a string
};

Result<std::string> EtcdRegistry::post_once(const std::string& path, const std::string& body) {
  auto request = request_;
  request.method = "POST";
  request.url = name_.origin(name_.places[place_]) + path;
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body;
  if (!token_.empty()) request.headers.emplace_back("Authorization", token_);
  auto answer = http::fetch(request);
  if (!answer) return answer.error();
  if (answer->status != 200) return refused(*answer);
  return std::move(answer->body);
}

// The next request goes to the next host, and with a new token, if this one fails.
Result<std::string> EtcdRegistry::post(const std::string& path, const std::string& body) {
  if (token_.empty() && !name_.user.empty()) BELAY_TRY(take_token());
  auto answer = post_once(path, body);
  if (answer) return answer;
  token_.clear();
  place_ = (place_ + 1) % name_.places.size();
  return answer;
}

Result<> EtcdRegistry::take_token() {
  auto answer =
      post_once("/v3/auth/authenticate", names::etcd_token_question(name_.user, name_.password));
  if (!answer) {
    // etcd's own clients go on without a token, too.
    if (answer.error().detail.find("authentication is not enabled") != std::string::npos) return {};
    place_ = (place_ + 1) % name_.places.size();
    return answer.error();
  }
  token_ = names::read_etcd_token(*answer).value_or(std::string());
  return {};
}

Result<> EtcdRegistry::enter() {
  lease_.clear();
  const auto granted =
      post("/v3/lease/grant", json{{"TTL", std::to_string(kLifetimeSeconds)}}.dump());
  if (!granted) return granted.error();
  const auto lease = json::parse(*granted, nullptr, false);
  if (!lease.is_object() || !lease.contains("ID") || !lease["ID"].is_string())
    return Error{ErrorCode::storage, "its answer to a lease cannot be read"};
  lease_ = lease["ID"].get<std::string>();
  const auto put = post("/v3/kv/put", json{{"key", base::to_base64(name_.name + '/' + lease_)},
                                           {"value", base::to_base64(endpoint_)},
                                           {"lease", lease_}}
                                          .dump());
  if (!put) return put.error();
  return {};
}

Result<> EtcdRegistry::renew() {
  const auto answer = post("/v3/lease/keepalive", lease_body());
  if (!answer) return answer.error();
  // A lease that is gone has no TTL left, and etcd leaves zeros out.
  const auto kept = json::parse(*answer, nullptr, false);
  const bool lives = kept.is_object() && kept.contains("result") && kept["result"].is_object() &&
                     kept["result"].contains("TTL");
  if (lives) return {};
  return Error{ErrorCode::not_found, "the lease is gone"};
}

Result<> EtcdRegistry::leave() {
  if (lease_.empty()) return {};
  const auto answer = post("/v3/lease/revoke", lease_body());
  if (!answer) return answer.error();
  return {};
}

class ConsulRegistry final : public Registry {
 public:
  ConsulRegistry(names::Name name, names::Place endpoint, http::ClientRequest request)
      : name_(std::move(name)),
        endpoint_(std::move(endpoint)),
        request_(std::move(request)),
        id_(name_.name + '-' + endpoint_.host + '-' + std::to_string(endpoint_.port)) {
    base::append_percent_encoded(id_in_path_, id_);
  }

  Result<> enter() override;
  Result<> renew() override { return put("/v1/agent/check/pass/service:" + id_in_path_, {}); }
  Result<> leave() override { return put("/v1/agent/service/deregister/" + id_in_path_, {}); }

 private:
  Result<> put(const std::string& path, std::string body);

  const names::Name name_;
  const names::Place endpoint_;
  const http::ClientRequest request_;  // what all have in common
  const std::string id_;
  std::string id_in_path_;
};

Result<> ConsulRegistry::put(const std::string& path, std::string body) {
  auto request = request_;
  request.method = "PUT";
  request.url = name_.origin(name_.places.front()) + path;
  request.body = std::move(body);
  if (!name_.dc.empty()) base::append_percent_encoded(request.url += "?dc=", name_.dc);
  if (!name_.password.empty()) request.headers.emplace_back("X-Consul-Token", name_.password);
  const auto answer = http::fetch(request);
  if (!answer) return answer.error();
  if (answer->status == 200) return {};
  auto error = refused(*answer);
  // Versions differ in the status for a check that is not there.
  const bool unknown = answer->status == 404 ||
                       answer->body.find("Unknown check") != std::string::npos ||
                       answer->body.find("does not have associated TTL") != std::string::npos;
  if (unknown) error.code = ErrorCode::not_found;
  return error;
}

Result<> ConsulRegistry::enter() {
  const json service{
      {"ID", id_},
      {"Name", name_.name},
      {"Address", endpoint_.host},
      {"Port", endpoint_.port},
      {"Check",
       {{"TTL", std::to_string(kLifetimeSeconds) + "s"}, {"DeregisterCriticalServiceAfter", "1m"}}},
  };
  BELAY_TRY(put("/v1/agent/service/register", service.dump()));
  return renew();  // until then Consul calls it critical
}

}  // namespace

Result<std::unique_ptr<Registry>> Registry::make(const std::string& registry,
                                                 const std::string& endpoint,
                                                 const HookOptions& options) {
  auto name = names::parse_registry(registry);
  if (!name) return name.error();
  auto place = names::parse_place(endpoint);
  if (!place) return Error{place.error().code, "the endpoint " + place.error().detail};
  if (name->source == names::Source::etcd)
    return std::unique_ptr<Registry>(std::make_unique<EtcdRegistry>(
        std::move(*name), names::text_of(*place), request_of(options)));
  return std::unique_ptr<Registry>(
      std::make_unique<ConsulRegistry>(std::move(*name), std::move(*place), request_of(options)));
}

}  // namespace belay::tool
