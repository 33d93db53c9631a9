#include "unit/protocol/api_site.h"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include "support/http_reply.h"

namespace belay::test {

using namespace std::chrono_literals;

protocol::ServiceOptions ApiSite::default_options() {
  protocol::ServiceOptions options;
  options.version = "v1.2.3";
  options.urls_only = false;
  options.request_timeout = 100ms;
  options.retry.first_interval = 20ms;
  options.retry.ongoing_interval = 20ms;
  return options;
}

ApiSite::ApiSite(const protocol::ServiceOptions& options) {
  Options engine_options;
  engine_options.retry.first_interval = 20ms;
  engine_options.retry.ongoing_interval = 20ms;
  engine_options.checkpoint_interval = 100ms;
  const auto path = dir_.file("state.db");
  auto engine = Engine::open(path, engine_options);
  REQUIRE(engine.has_value());
  engine_ = std::make_unique<Engine>(std::move(*engine));
  for (const auto* name : {"ok", "no", "later", "mute"})
    REQUIRE(engine_->handle(name, answer, this));
  REQUIRE(engine_->start());
  auto service = protocol::Service::make(*engine_, path, options);
  REQUIRE(service.has_value());
  service_ = std::move(*service);
}

ApiSite::~ApiSite() {
  service_.reset();
  engine_.reset();
}

Outcome ApiSite::answer(const Call& call, void* self) {
  auto& site = *static_cast<ApiSite*>(self);
  {
    const std::lock_guard lock(site.mutex_);
    ++site.calls_[std::string(call.gid)];
  }
  if (call.target == "ok") return Outcome::success();
  if (call.target == "no") return Outcome::failure("no money");
  if (call.target == "later") return Outcome::ongoing();
  return Outcome::unknown("no idea");
}

int ApiSite::calls_of(const std::string& gid) {
  const std::lock_guard lock(mutex_);
  return calls_[gid];
}

bool ApiSite::is_called(const std::string& gid, int times) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (calls_of(gid) < times) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

http::Response ApiSite::ask(http::Request request, protocol::Caller caller) {
  std::promise<http::Response> promise;
  auto answered = promise.get_future();
  service_->handle(
      std::move(request),
      [&promise](http::Response response) { promise.set_value(std::move(response)); },
      std::move(caller));
  REQUIRE(answered.wait_for(20s) == std::future_status::ready);
  auto response = answered.get();
  CHECK(fault_of(response) == "");
  return response;
}

http::Response ApiSite::admin(std::string_view method, std::string_view path, const Json& body,
                              http::Fields headers) {
  http::Request request{std::string(method), "/api/belay/v1/" + std::string(path), {}, {}, {}};
  if (!body.is_null()) {
    request.body = body.dump();
    headers.emplace_back("Content-Type", "application/json");
  }
  request.headers = std::move(headers);
  request.peer = "10.0.0.7";
  return ask(std::move(request), {"ops", protocol::Role::admin});
}

http::Response ApiSite::get(std::string_view name, const http::Fields& query) {
  return ask({"GET", "/api/dtmsvr/" + std::string(name), query, {}, {}});
}

http::Response ApiSite::post(std::string_view name, const Json& body) {
  return post_text(name, body.dump());
}

http::Response ApiSite::post_text(std::string_view name, std::string body) {
  return ask({"POST", "/api/dtmsvr/" + std::string(name), {}, {}, std::move(body)});
}

Json ApiSite::rpc(std::string_view method, const Json& params) {
  const Json request{{"id", "7"}, {"jsonrpc", "2.0"}, {"method", method}, {"params", params}};
  const auto response = ask({"POST", "/api/json-rpc", {}, {}, request.dump()});
  CHECK(response.status == 200);
  return Json::parse(response.body, nullptr, false);
}

Status ApiSite::status_of(const std::string& gid) {
  const auto report = engine_->find(gid);
  REQUIRE(report.has_value());
  return report->status();
}

bool ApiSite::reaches(const std::string& gid, Status status) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (status_of(gid) != status) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

bool ApiSite::bring(const std::string& gid, std::string_view type, Status status) {
  const bool is_msg = type == "msg";
  if (type == "saga") {
    const auto* action = status == Status::succeed     ? "ok"
                         : status == Status::submitted ? "later"
                                                       : "no";
    auto request = saga(gid, {action});
    request["steps"][0]["compensate"] = status == Status::aborting ? "mute" : "ok";
    post("submit", request);
    return reaches(gid, status);
  }
  auto request = body(gid, type);
  if (is_msg) request = msg(gid, {status == Status::submitted ? "later" : "ok"});
  post("prepare", request);
  if (type == "tcc" || type == "xa") {
    const auto* target = status == Status::submitted || status == Status::aborting ? "later" : "ok";
    post("registerBranch", {{"gid", gid},
                            {"trans_type", type},
                            {"branch_id", "01"},
                            {"confirm", target},
                            {"cancel", target},
                            {"url", target}});
  }
  if (type == "workflow" && is_final(status)) {
    post("submit", body(gid, type, {{"req_extra", {{"status", name_of(status)}}}}));
  } else if (status == Status::submitted || status == Status::succeed) {
    post("submit", request);
  } else if (status != Status::prepared) {
    post("abort", body(gid, type));
  }
  return reaches(gid, status);
}

Json object_in(const http::Response& response) {
  return Json::parse(response.body, nullptr, false);
}

std::string message_of(const http::Response& response) {
  return Json::parse(response.body, nullptr, false).value("message", std::string());
}

Json body(const std::string& gid, std::string_view type, const Json& more) {
  Json json{{"gid", gid}, {"trans_type", type}};
  json.update(more);
  return json;
}

Json saga(const std::string& gid, const std::vector<std::string>& actions, const Json& more) {
  auto json = body(gid, "saga", {{"steps", Json::array()}, {"payloads", Json::array()}});
  for (const auto& action : actions) {
    json["steps"].push_back({{"action", action}, {"compensate", "ok"}});
    json["payloads"].push_back("{}");
  }
  json.update(more);
  return json;
}

Json msg(const std::string& gid, const std::vector<std::string>& targets, const Json& more) {
  auto json = saga(gid, targets);
  json["trans_type"] = "msg";
  json.update(more);
  return json;
}

}  // namespace belay::test
