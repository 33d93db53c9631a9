// Goal: what clients rely on around the tables: routes, content types, tolerance of bodies, words
// of errors, JSON-RPC's codes.
// Method: requests as clients send them, replies compared byte for byte.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "unit/protocol/api_site.h"

namespace belay::test {
namespace {

// An unknown key is passed over, whatever it says.
std::string large_body(const std::string& gid, std::size_t bytes) {
  return body(gid, "tcc", {{"unknown", std::string(bytes, 'x')}}).dump();
}

http::Request abort_of(std::string body) {
  return {"POST", "/api/dtmsvr/abort", {}, {}, std::move(body)};
}

}  // namespace

TEST_SUITE("protocol/protocol") {
  TEST_CASE("small routes, and those that are not there") {
    ApiSite site;
    CHECK(site.get("version").body == R"({"version":"v1.2.3"})");
    CHECK(site.get("version").content_type == "application/json; charset=utf-8");
    for (const auto* method : {"GET", "POST", "PUT"})
      CHECK(site.ask({method, "/api/ping", {}, {}, {}}).body == R"({"msg":"pong"})");
    CHECK(site.ask({"GET", "/api/health", {}, {}, {}}).body == R"({"result":"success"})");
    const auto gid = Json::parse(site.get("newGid").body);
    CHECK(gid.at("dtm_result") == "SUCCESS");
    CHECK_FALSE(gid.at("gid").get<std::string>().empty());
    for (const auto& nowhere : {std::pair{"GET", "/"},
                                {"GET", "/api/dtmsvr/submit"},
                                {"POST", "/api/dtmsvr/query"},
                                {"GET", "/version"},
                                {"DELETE", "/api/dtmsvr/topic/"},
                                {"POST", "/api/dtmsvr/submit/"}}) {
      CAPTURE(nowhere.second);
      const auto response = site.ask({nowhere.first, nowhere.second, {}, {}, {}});
      CHECK(response.status == 404);
      CHECK(response.content_type.starts_with("text/plain"));
      CHECK(response.body == "404 page not found");
    }
    const auto moved = site.get("newGid/");
    CHECK(moved.status == 301);
    CHECK(moved.headers == http::Fields{{"Location", "/api/dtmsvr/newGid"}});
  }

  TEST_CASE("bodies are read with tolerance") {
    ApiSite site;
    const std::string steps = R"("steps":[{"action":"ok","compensate":"ok"}],"payloads":["{}"])";
    for (const auto& more : {
             std::string(R"("trans_type":"saga","gid":"g1",)"),
             std::string(R"("Trans_Type":"saga","GID":"g2",)"),
             std::string(R"("trans_type":"tcc","trans_type":"saga","gid":"g3","subType":"x",)"),
             std::string(
                 R"("trans_type":"saga","gid":"g4","branch_headers":null,)"
                 R"("custom_data":null,"wait_result":null,"request_timeout":null,)"
                 R"("protocol":null,"passthrough_headers":[],"barrier_id":7,"branch_headers":[],)"),
             std::string(R"("trans_type":"saga","gid":"g5\n;\r","protocol":"http",)"),
         }) {
      CAPTURE(more);
      CHECK(site.post_text("submit", "{" + more + steps + "}").status == 200);
    }
    for (const auto* gid : {"g1", "g2", "g3", "g4", "g5"})
      CHECK(site.reaches(gid, Status::succeed));
    const Json old{{"gid", "g6"},
                   {"trans_type", "saga"},
                   {"steps", {{{"action", "ok"}, {"compensate", "ok"}, {"data", "{}"}}}}};
    CHECK(site.post("submit", old).status == 200);
    CHECK(site.ask({"POST",
                    "/api/dtmsvr/submit",
                    {},
                    {{"Content-Type", "text/plain"}},
                    saga("g7", {"ok"}).dump(4)})
              .status == 200);
  }

  TEST_CASE("what cannot be meant is refused with a reason, and nothing is left behind") {
    ApiSite site;
    const auto refused = [&](const Json& more) {
      const auto response = site.post("submit", saga("g", {"ok", "ok"}, more));
      CHECK(response.status == 500);
      CHECK_FALSE(message_of(response).empty());
      CHECK(site.engine().find("g").error().code == ErrorCode::not_found);
      return message_of(response);
    };
    CHECK(refused({{"gid", ""}}) == "key required");
    CHECK(refused({{"trans_type", "sagas"}}) == "unknow trans type: sagas");
    CHECK(refused({{"trans_type", nullptr}}) == "unknow trans type: ");
    CHECK(refused({{"payloads", {"{}"}}}) == "there are 2 steps and only 1 payloads");
    CHECK(refused({{"payloads", {{{"a", 1}}, {{"a", 1}}}}}) ==
          "payloads is of type object, it must be an array of strings");
    CHECK(refused({{"request_timeout", "1"}}) ==
          "request_timeout is of type string, it must be a whole number");
    refused({{"request_timeout", 1.0}});
    refused({{"timeout_to_fail", -1}});
    refused({{"branch_headers", {"x"}}});
    refused({{"wait_result", "true"}});
    refused({{"steps", "x"}});
    refused({{"steps", {{{"action", 1}}}}});
    refused({{"protocol", "thrift"}});
    for (const auto* custom_data :
         {"x", "[]", R"({"concurrent":1})", R"({"concurrent":true,"orders":{"0":[2]}})",
          R"({"concurrent":true,"orders":{"2":[0]}})", R"({"concurrent":true,"orders":{"a":[0]}})",
          R"({"concurrent":true,"orders":{"0":[1],"1":[0]}})", R"({"orders":{"0":[1]}})",
          R"({"concurrent":true,"orders":[[0]]})", R"({"concurrent":true,"orders":{"0":[0]}})"}) {
      CAPTURE(custom_data);
      refused({{"custom_data", custom_data}});
    }
    for (const auto* text : {"", "  ", "{", "[]", "1", "\"x\"", "{\"gid\":\"\xff\"}", "nul"}) {
      CAPTURE(text);
      const auto response = site.post_text("submit", text);
      CHECK(response.status == 500);
      CHECK_FALSE(message_of(response).empty());
    }
    CHECK(message_of(site.post_text("submit", "null")) == "key required");
    CHECK(message_of(site.post_text("submit", std::string(1'000'000, '['))) ==
          "the JSON is nested deeper than 64 levels");
    std::string many = R"({"gid":"\"[,{\\","a":[0)";
    for (int i = 0; i < 262'144; ++i) many += ",[]";
    CHECK(message_of(site.post_text("submit", many + "]}")) ==
          "the JSON has about 524292 values, the limit is 262144");
  }

  TEST_CASE("targets must be URLs unless handlers may be named") {
    auto options = ApiSite::default_options();
    options.urls_only = true;
    ApiSite site(options);
    const auto response = site.post("submit", saga("g", {"ok"}));
    CHECK(response.status == 500);
    CHECK(message_of(response) ==
          "step 1: action: 'ok' is no URL of http://, https://, grpc:// or grpcs://");
    for (const auto* url : {"HTTP://127.0.0.1:1/", "Https://127.0.0.1:1/"})
      CHECK_MESSAGE(site.post("submit", msg(url, {url})).status == 200, url);
  }

  TEST_CASE("what is shown is escaped") {
    ApiSite site;
    const auto response = site.post("abort", body("<&>", "tcc"));
    CHECK(response.body ==
          "{\"message\":\"no TransGlobal with gid: \\u003c\\u0026\\u003e found\"}");
  }

  TEST_CASE("JSON-RPC has codes for what went wrong") {
    ApiSite site;
    CHECK(site.rpc("newGid", Json::object()).at("result").contains("gid"));
    CHECK(site.rpc("newGid", nullptr).at("error").is_null());
    auto reply = site.rpc("prepare", body("g", "tcc"));
    CHECK(reply.dump() == R"({"error":null,"id":"7","jsonrpc":"2.0","result":null})");
    CHECK(site.rpc("registerBranch", {{"gid", "g"}, {"trans_type", "tcc"}, {"branch_id", "01"}})
              .at("error")
              .is_null());
    CHECK(site.rpc("submit", body("g", "tcc")).at("error").is_null());
    CHECK(site.reaches("g", Status::succeed));
    reply = site.rpc("submit", body("g", "tcc"));
    CHECK(reply.at("error").at("code") == -32901);
    CHECK(reply.at("error").at("message") == "current status 'succeed', cannot sumbmit. FAILURE");
    CHECK(reply.at("result") == Json::object());
    CHECK(site.rpc("abort", body("x", "tcc")).at("error").at("code") == -32603);
    reply = site.rpc("query", Json::object());
    CHECK(reply.at("error").at("code") == -32601);
    CHECK(reply.at("error").at("message") == "Method not found: query");
    CHECK(site.rpc("prepare", body("a;b", "tcc")).at("error").is_null());
    CHECK(site.engine().find("ab").has_value());
  }

  TEST_CASE("JSON-RPC refuses what is no request") {
    ApiSite site;
    const auto code_of = [&](const char* text) {
      const auto response = site.ask({"POST", "/api/json-rpc", {}, {}, text});
      const auto json = Json::parse(response.body);
      const bool is_unreadable = json.at("error").at("code") == -32700;
      CHECK(response.status == (is_unreadable ? 400 : 200));
      CHECK(response.content_type.starts_with(is_unreadable ? "text/plain" : "application/json"));
      const bool has_id = std::string_view(text).find(R"("id":"1")") != std::string_view::npos;
      CHECK(json.at("id") == (has_id ? "1" : ""));
      return json.at("error").at("code").get<int>();
    };
    CHECK(code_of("x") == -32700);
    CHECK(code_of(R"({"id":1,"jsonrpc":"2.0","method":"newGid"})") == -32700);
    CHECK(code_of(R"({"id":"","jsonrpc":"2.0","method":"newGid"})") == -32600);
    CHECK(code_of(R"({"id":"1","jsonrpc":"1.0","method":"newGid"})") == -32600);
    CHECK(code_of(R"({"id":"1","jsonrpc":"2.0"})") == -32601);
    // The version and the method are judged before the params, and the id comes back.
    CHECK(code_of(R"({"id":"1","jsonrpc":"1.0","method":"submit","params":[]})") == -32600);
    CHECK(code_of(R"({"id":"1","jsonrpc":"2.0","method":"what","params":[]})") == -32601);
    CHECK(code_of(R"({"id":"1","jsonrpc":"2.0","method":"submit","params":[]})") == -32603);
    CHECK(code_of(R"({"id":"1","jsonrpc":2})") == -32700);
  }

  TEST_CASE("newGid of JSON-RPC takes any params") {
    ApiSite site;
    for (const auto& params : {Json(""), Json::array(), Json(nullptr), Json(7), Json::object()})
      CHECK(site.rpc("newGid", params).at("result").at("gid").is_string());
  }

  TEST_CASE("a saga may be prepared, and then submitted or aborted") {
    ApiSite site;
    for (const auto* gid : {"submitted", "aborted"}) {
      CHECK(site.post("prepare", saga(gid, {"ok", "ok"})).status == 200);
      CHECK(site.post("prepare", saga(gid, {"ok", "ok"})).status == 200);
      CHECK(site.status_of(gid) == Status::prepared);
    }
    CHECK(site.post("submit", saga("submitted", {"ok", "ok"}, {{"wait_result", true}})).status ==
          200);
    CHECK(site.calls_of("submitted") == 2);
    CHECK(site.post("abort", body("submitted", "saga")).status == 409);
    CHECK(site.post("abort", body("aborted", "saga", {{"rollback_reason", "no"}})).status == 200);
    CHECK(site.reaches("aborted", Status::failed));
    CHECK(site.post("submit", saga("aborted", {"ok", "ok"})).status == 409);
    CHECK(site.calls_of("aborted") == 0);
  }

  TEST_CASE("a gid of another type is neither prepared nor registered under") {
    ApiSite site;
    const std::vector<std::string> types = {"saga", "tcc", "xa", "msg", "workflow"};
    const auto request = [](const std::string& gid, const std::string& type) {
      return type == "saga"  ? saga(gid, {"ok"})
             : type == "msg" ? msg(gid, {"ok"})
                             : body(gid, type);
    };
    for (const auto& stored : types) {
      CHECK(site.post("prepare", request(stored, stored)).status == 200);
      for (const auto& type : types) {
        if (type == stored) continue;
        CAPTURE(stored);
        CAPTURE(type);
        const auto* name = type == "workflow" ? "prepareWorkflow" : "prepare";
        const auto response = site.post(name, request(stored, type));
        CHECK(response.status == 409);
        CHECK(message_of(response) ==
              "the gid " + stored + " belongs to a " + stored + ", not to a " + type + ". FAILURE");
        CHECK(site.status_of(stored) == Status::prepared);
      }
    }
    for (const auto* type : {"tcc", "xa"}) {
      const std::string stored = std::string(type) == "tcc" ? "xa" : "tcc";
      CHECK(site.post("registerBranch", {{"gid", stored},
                                         {"trans_type", type},
                                         {"branch_id", "01"},
                                         {"confirm", "ok"},
                                         {"cancel", "ok"},
                                         {"url", "ok"}})
                .status == 409);
    }
  }

  TEST_CASE("the age of the oldest unfinished transaction is a metric") {
    ApiSite site;
    const auto metrics = [&] { return site.ask({"GET", "/metrics", {}, {}, {}}).body; };
    CHECK(metrics().find("\nbelay_oldest_unfinished_seconds 0\n") != std::string::npos);
    site.post("prepare", body("g", "tcc"));
    // Its row is written within two intervals of the checkpoint.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (metrics().find("\nbelay_oldest_unfinished_seconds 0\n") != std::string::npos) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      std::this_thread::yield();
    }
    CHECK(metrics().find("\nbelay_oldest_unfinished_seconds ") != std::string::npos);
  }

  TEST_CASE("metrics without room for a read are told without the oldest transaction") {
    auto options = ApiSite::default_options();
    options.reads_queued_max = 0;
    ApiSite site(options);
    const auto metrics = site.ask({"GET", "/metrics", {}, {}, {}});
    CHECK(metrics.status == 200);
    CHECK(metrics.body.find("\nbelay_transactions") != std::string::npos);
    CHECK(metrics.body.find("belay_oldest_unfinished_seconds") == std::string::npos);
  }

  TEST_CASE("health and metrics") {
    ApiSite site;
    CHECK(site.ask({"GET", "/healthz", {}, {}, {}}).status == 200);
    for (const auto* path : {"/metrics", "/api/metrics"}) {
      const auto response = site.ask({"GET", path, {}, {}, {}});
      CHECK(response.status == 200);
      CHECK(response.content_type.starts_with("text/plain"));
    }
    REQUIRE(site.engine().close());
    CHECK(site.ask({"GET", "/healthz", {}, {}, {}}).status == 503);
    const auto closed = site.post("submit", saga("g", {"ok"}));
    CHECK(closed.status == 503);
    CHECK(closed.headers == http::Fields{{"Retry-After", "1"}});
  }

  TEST_CASE("an operator's change is told with its caller once it is accepted") {
    std::mutex mutex;
    std::vector<std::string> told;
    auto options = ApiSite::default_options();
    options.on_admin_change = [&](const protocol::AdminChange& change) {
      const std::lock_guard lock(mutex);
      told.push_back(std::string(change.caller) + " " + std::string(change.call) + " " +
                     std::string(change.gid) + std::string(change.topic));
    };
    ApiSite site(options);
    const auto order = [&](const std::string& name, const std::string& gid) {
      std::promise<int> status;
      site.service().handle({"POST", "/api/dtmsvr/" + name, {}, {}, body(gid, "saga").dump()},
                            [&](const http::Response& answer) { status.set_value(answer.status); },
                            {"ops", protocol::Role::admin});
      return status.get_future().get();
    };
    CHECK(site.post("submit", saga("g", {"later"})).status == 200);
    CHECK(site.get("query", {{"gid", "g"}}).status == 200);
    CHECK(order("forceStop", "unknown") == 500);
    CHECK(told.empty());
    CHECK(order("resetNextCronTime", "g") == 200);
    CHECK(order("forceStop", "g") == 200);
    CHECK(order("forceStop", "g") == 409);
    CHECK(site.get("subscribe", {{"topic", "t"}, {"url", "ok"}}).status == 200);
    CHECK(site.ask({"DELETE", "/api/dtmsvr/topic/t", {}, {}, {}}).status == 200);
    CHECK(told == std::vector<std::string>{"ops resetnextcrontime g", "ops forcestop g",
                                           " subscribe t", " topic t"});
  }

  TEST_CASE("a large body is read beside the server's threads, a small one on them") {
    ApiSite site;
    const auto answered_by = [&](std::string text) {
      std::promise<std::thread::id> promise;
      auto answered = promise.get_future();
      site.service().handle(abort_of(std::move(text)), [&](const http::Response& response) {
        CHECK(response.status == 500);
        promise.set_value(std::this_thread::get_id());
      });
      return answered.get();
    };
    CHECK(answered_by("no JSON") == std::this_thread::get_id());
    CHECK(answered_by("no JSON" + std::string(100'000, ' ')) != std::this_thread::get_id());
    CHECK(message_of(site.ask(abort_of(large_body("large", 1'000'000)))) ==
          "no TransGlobal with gid: large found");
  }

  TEST_CASE("large bodies beyond the limit in sum are refused, small ones and a first are not") {
    auto options = ApiSite::default_options();
    options.large_bodies_bytes_max = 150'000;
    ApiSite site(options);
    std::promise<void> begun, released;
    site.service().handle(abort_of(std::string(200'000, ' ')), [&](const http::Response&) {
      begun.set_value();
      released.get_future().wait();
    });
    begun.get_future().wait();
    const auto refused = site.ask(abort_of(large_body("large", 100'000)));
    CHECK(refused.status == 503);
    CHECK(refused.headers == http::Fields{{"Retry-After", "1"}});
    CHECK(site.ask(abort_of("no JSON")).status == 500);
    released.set_value();
    site.close_service();
  }

  TEST_CASE("a service that ends answers everybody") {
    ApiSite site;
    std::promise<http::Response> promise;
    auto answered = promise.get_future();
    auto options = saga("g", {"later"}, {{"wait_result", true}, {"request_timeout", 3'000}});
    site.service().handle({"POST", "/api/dtmsvr/submit", {}, {}, options.dump()},
                          [&](http::Response response) { promise.set_value(std::move(response)); });
    site.close_service();
    CHECK(answered.get().status == 503);
  }

  TEST_CASE("a service that ends answers the reads that it did not begin") {
    auto options = ApiSite::default_options();
    options.read_threads = 1;
    ApiSite site(options);
    constexpr int kReads = 500;
    std::atomic<int> answered = 0;
    for (int i = 0; i < kReads; ++i) {
      site.service().handle({"GET", "/api/dtmsvr/query", {{"gid", "g"}}, {}, {}},
                            [&](const http::Response&) { ++answered; });
    }
    site.close_service();
    CHECK(answered == kReads);
  }
}

}  // namespace belay::test
