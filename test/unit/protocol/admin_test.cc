// Goal: the admin API does what an operator asks, once, tells who it was, and refuses with one
// clear error what cannot be meant. Method: requests without sockets before a real engine; the
// timeline and the audit log are read back.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "serve/protocol/admin/routes.h"
#include "unit/protocol/api_site.h"

namespace belay::test {
namespace {

using protocol::Role;

std::string error_of(const http::Response& response) {
  return object_in(response).value("error", std::string());
}

bool has(const http::Response& response, const char* name, std::string_view value) {
  return std::any_of(response.headers.begin(), response.headers.end(), [&](const auto& header) {
    return header.first == name && header.second == value;
  });
}

// What the timeline says behind its events, in one text.
std::string details_of(ApiSite& site, const std::string& gid) {
  std::string details;
  const auto shown = object_in(site.admin("GET", "transactions/" + gid));
  for (const auto& event : shown.at("timeline")) {
    if (event.at("detail").is_string()) details += event.at("detail").get<std::string>() + "\n";
  }
  return details;
}

Role role_of(const char* method, const char* path) {
  return protocol::role_needed({method, std::string("/api/belay/v1/") + path, {}, {}, {}});
}

}  // namespace

TEST_SUITE("protocol/admin") {
  TEST_CASE("every path needs its role, whatever its gid looks like") {
    CHECK(role_of("GET", "openapi.json") == Role::anybody);
    for (const auto* path : {"overview", "history", "events", "transactions", "transactions/g",
                             "transactions/g/why", "transactions/a%2Fstop", "stuck", "hosts",
                             "names", "holds", "topics", "transactions/stop"})
      CHECK_MESSAGE(role_of("GET", path) == Role::read, path);
    CHECK(role_of("POST", "transactions") == Role::submit);
    for (const auto* path :
         {"transactions/g/replay", "transactions/g/stop", "transactions/%/stop",
          "transactions/%00/back", "transactions/a%2Fwhy/resolve", "transactions/../stop",
          "topics/subscribe", "topics/unsubscribe", "topics/delete", "targets/hold",
          "targets/release", "transactions/g/edit"})
      CHECK_MESSAGE(role_of("POST", path) == Role::admin, path);
    // What is no path needs a token, too.
    for (const auto* path : {"", "nothing", "transactions/", "transactions//stop",
                             "transactions/a/b/stop", "transactions/a/stop/"})
      CHECK_MESSAGE(role_of("POST", path) == Role::metrics, path);
  }

  TEST_CASE("what is no path or no method of a path is an error of this API") {
    ApiSite site;
    for (const auto* path : {"", "nothing", "overview/", "transactions/a/b", "transactions//why"}) {
      CAPTURE(path);
      const auto response = site.admin("GET", path);
      CHECK(response.status == 404);
      CHECK(error_of(response) == "not_found");
      CHECK(has(response, "Cache-Control", "no-store"));
      CHECK(has(response, "X-Content-Type-Options", "nosniff"));
    }
    const auto other = site.admin("PUT", "transactions");
    CHECK(other.status == 405);
    CHECK(error_of(other) == "method_not_allowed");
    CHECK(has(other, "Allow", "GET, POST"));
    CHECK(site.admin("GET", "transactions/g/stop").status == 405);
    // The paths of the last version were never released.
    for (const auto* old : {"/api/belay/turnBack", "/api/belay/resolveBranch"})
      CHECK(site.ask({"POST", old, {}, {}, "{}"}).status == 404);
  }

  TEST_CASE("the verbs do what they say, and tell who asked") {
    std::mutex mutex;
    std::vector<std::string> changes;
    auto options = ApiSite::default_options();
    options.on_admin_change = [&](const protocol::AdminChange& change) {
      const std::lock_guard lock(mutex);
      changes.push_back(std::string(change.call) + " " + std::string(change.gid) + " by " +
                        std::string(change.caller) + " at " + std::string(change.peer) + " for " +
                        std::string(change.claim));
    };
    ApiSite site(options);
    for (const auto* gid : {"stops", "turns", "waits"})
      REQUIRE(site.bring(gid, "saga", Status::submitted));
    const auto stopped = site.admin("POST", "transactions/stops/stop",
                                    {{"reason", "wrong price"}, {"ticket", "T-9"}},
                                    {{"X-Belay-Asked-By", "alice on gateway-1"}});
    CHECK(stopped.status == 200);
    CHECK(object_in(stopped) == Json{{"gid", "stops"}, {"verb", "stop"}, {"taken", true}});
    CHECK(site.status_of("stops") == Status::failed);
    const auto said = details_of(site, "stops");
    CHECK_MESSAGE(said.find("wrong price [T-9] (by ops via 10.0.0.7, says "
                            "\"alice on gateway-1\")") != said.npos,
                  said);
    CHECK(site.admin("POST", "transactions/turns/back", {{"reason", "recall"}}).status == 200);
    CHECK(site.reaches("turns", Status::failed));
    CHECK(site.admin("POST", "transactions/waits/replay").status == 200);
    const auto resolved = site.admin(
        "POST", "transactions/waits/resolve",
        {{"branch_id", "01"}, {"op", "action"}, {"as", "success"}, {"reason", "asked the bank"}});
    // A call that is in flight is waited for by the client.
    if (resolved.status == 200) {
      CHECK(site.reaches("waits", Status::succeed));
    } else {
      CHECK(resolved.status == 503);
    }
    const std::lock_guard lock(mutex);
    REQUIRE(changes.size() >= 3);
    CHECK(changes[0] == "v1-stop stops by ops at 10.0.0.7 for alice on gateway-1");
    CHECK(changes[1] == "v1-back turns by ops at 10.0.0.7 for ");
    CHECK(changes[2] == "v1-replay waits by ops at 10.0.0.7 for ");
  }

  TEST_CASE("what the state forbids is 409, what is unknown 404, and neither is told") {
    auto options = ApiSite::default_options();
    options.on_admin_change = [](const protocol::AdminChange&) { FAIL("nothing was changed"); };
    ApiSite site(options);
    REQUIRE(site.bring("done", "saga", Status::succeed));
    const Json reason{{"reason", "x"}};
    for (const auto* verb : {"replay", "stop", "back"}) {
      CAPTURE(verb);
      const auto forbidden = site.admin("POST", std::string("transactions/done/") + verb, reason);
      CHECK(forbidden.status == 409);
      CHECK(error_of(forbidden) == "forbidden");
      const auto unknown = site.admin("POST", std::string("transactions/none/") + verb, reason);
      CHECK(unknown.status == 404);
      CHECK(error_of(unknown) == "not_found");
    }
    CHECK(site.admin("POST", "topics/delete", {{"topic", "none"}}).status == 404);
  }

  TEST_CASE("a body that cannot be meant is refused by name") {
    ApiSite site;
    const auto refused = [&](const char* verb, const Json& body) {
      const auto response = site.admin("POST", std::string("transactions/g/") + verb, body);
      CHECK(response.status == 400);
      CHECK(error_of(response) == "bad_request");
      return message_of(response);
    };
    CHECK(refused("stop", Json::object()) == "'reason' is missing");
    CHECK(refused("stop", {{"reason", ""}}) == "'reason' is empty");
    CHECK(refused("stop", {{"reason", nullptr}}) == "'reason' must be a string");
    CHECK(refused("stop", {{"Reason", "x"}}) == "there is no member 'Reason'");
    CHECK(refused("stop", {{"reason", std::string(1'001, 'x')}}) ==
          "'reason' has 1001 bytes, the limit is 1000");
    CHECK(refused("back", {{"reason", "x"}, {"ticket", std::string(101, 'x')}}) ==
          "'ticket' has 101 bytes, the limit is 100");
    const Json resolve{{"branch_id", "01"}, {"op", "action"}, {"as", "success"}, {"reason", "x"}};
    const auto with = [&](const char* name, const Json& value) {
      auto body = resolve;
      body[name] = value;
      return body;
    };
    CHECK(refused("resolve", with("op", "go")) == "'op' is 'go', no operation");
    CHECK(refused("resolve", with("as", "ongoing")) ==
          "'as' is 'ongoing', it must be success or failure");
    CHECK(refused("resolve", with("gid", "g")) == "there is no member 'gid'");
    refused("stop", Json::array());
    const auto raw = [&](std::string body, const char* type) {
      return site.ask({"POST",
                       "/api/belay/v1/transactions/g/stop",
                       {},
                       {{"Content-Type", type}},
                       std::move(body)});
    };
    CHECK(message_of(raw(R"({"reason":"a","reason":"b"})", "application/json")) ==
          "'reason' comes twice");
    CHECK(raw(R"({"reason":"a"})", "Application/JSON; charset=utf-8").status == 404);
    CHECK(raw(R"({"reason":"a"})", "text/plain").status == 415);
    CHECK(raw(R"({"reason":"a"})", "").status == 415);
    CHECK(raw("{", "application/json").status == 400);
    CHECK(raw(std::string(65'537, ' '), "application/json").status == 413);
    const auto claims = [&](std::string claim) {
      return site.admin("POST", "transactions/g/stop", {{"reason", "x"}},
                        {{"X-Belay-Asked-By", std::move(claim)}});
    };
    CHECK(claims("alice").status == 404);
    CHECK(claims(std::string(201, 'x')).status == 400);
    CHECK(claims("a\x1b[31m").status == 400);
  }

  TEST_CASE("a gid in a path is any bytes, decoded once") {
    ApiSite site;
    const std::vector<std::pair<const char*, std::string>> gids = {
        {"a%2Fwhy", "a/why"}, {"a%252F", "a%2F"}, {"a+b", "a+b"}, {"%c3%a9", "\u00e9"}};
    for (const auto& one : gids) {
      const auto& [sent, gid] = one;
      CAPTURE(one.first);
      CHECK(site.admin("POST", "transactions",
                       {{"gid", gid}, {"mode", "saga"}, {"steps", {{{"action", "later"}}}}})
                .status == 200);
      const auto shown = site.admin("GET", "transactions/" + std::string(sent));
      CHECK(shown.status == 200);
      CHECK(object_in(shown).value("gid", "") == gid);
      CHECK(site.admin("GET", "transactions/" + std::string(sent) + "/why").status == 200);
    }
    for (const auto* broken : {"%", "%2", "%zz", "a%g0"}) {
      const auto response = site.admin("GET", "transactions/" + std::string(broken));
      CHECK_MESSAGE(response.status == 400, broken);
    }
    CHECK(site.admin("GET", "transactions/%00").status == 404);
    CHECK(site.admin("GET", "transactions/%ff%fe").status == 404);
  }

  TEST_CASE("a submit is what belay/requests.h describes") {
    ApiSite site;
    const Json body{{"gid", "g"},
                    {"mode", "saga"},
                    {"steps", {{{"action", "ok"}, {"compensate", "ok"}, {"payload", "{}"}}}}};
    const auto taken = site.admin("POST", "transactions", body);
    CHECK(taken.status == 200);
    CHECK(object_in(taken).at("gid") == "g");
    CHECK(site.reaches("g", Status::succeed));
    CHECK(object_in(site.admin("POST", "transactions", body)).at("status") == "succeed");
    auto other = body;
    other["steps"][0]["action"] = "no";
    const auto conflict = site.admin("POST", "transactions", other);
    CHECK(conflict.status == 409);
    CHECK(error_of(conflict) == "conflict");
    auto without = body;
    without.erase("gid");
    CHECK(object_in(site.admin("POST", "transactions", without))
              .at("gid")
              .get<std::string>()
              .size() == 26);
    const auto refused = [&](const char* name, const Json& value) {
      auto wrong = body;
      wrong[name] = value;
      const auto response = site.admin("POST", "transactions", wrong);
      CHECK(response.status == 400);
      return message_of(response);
    };
    CHECK(refused("gidd", "x") == "the body has an unknown key 'gidd'");
    refused("mode", "workflow");
    refused("steps", "x");
    refused("gid", std::string(129, 'g'));
    CHECK(site.admin("POST", "transactions").status == 400);
  }

  TEST_CASE("a server refuses targets that are no URLs") {
    auto options = ApiSite::default_options();
    options.urls_only = true;
    ApiSite site(options);
    const auto response = site.admin("POST", "transactions",
                                     {{"mode", "saga"}, {"steps", {{{"action", "bank.debit"}}}}});
    CHECK(response.status == 400);
    CHECK(message_of(response) ==
          "step 1: action: 'bank.debit' is no URL of http://, https://, grpc:// or grpcs://");
    CHECK(
        site.admin("POST", "topics/subscribe", {{"topic", "t"}, {"target", "bank.debit"}}).status ==
        400);
    CHECK(site.admin("POST", "topics/subscribe",
                     {{"topic", "t"}, {"target", "jsonrpc+http://127.0.0.1/rpc?method=read"}})
              .status == 200);
  }

  TEST_CASE("topics are changed and shown") {
    ApiSite site;
    const auto change = [&](const char* verb, const Json& body) {
      return site.admin("POST", std::string("topics/") + verb, body);
    };
    const Json both{{"topic", "news"}, {"target", "ok"}};
    CHECK(object_in(change("subscribe", both)) ==
          Json{{"topic", "news"}, {"verb", "subscribe"}, {"taken", true}});
    CHECK(change("subscribe", {{"topic", "news"}, {"target", "ok"}, {"remark", "shop"}}).status ==
          200);
    const auto topics = [&]() -> Json {
      return object_in(site.admin("GET", "topics")).at("topics");
    };
    CHECK(topics() == Json::array({{{"name", "news"},
                                    {"subscriptions", {{{"target", "ok"}, {"remark", "shop"}}}}}}));
    CHECK(change("unsubscribe", both).status == 200);
    CHECK(change("unsubscribe", both).status == 404);
    CHECK(topics() == Json::array({{{"name", "news"}, {"subscriptions", Json::array()}}}));
    CHECK(change("delete", {{"topic", "news"}}).status == 200);
    CHECK(topics().empty());
    CHECK(change("delete", {{"topic", "news"}}).status == 404);
    CHECK(change("subscribe", {{"topic", "news"}}).status == 400);
  }

  TEST_CASE("a target is held, shown and released") {
    ApiSite site;
    const auto change = [&](const char* verb, const Json& body) {
      return site.admin("POST", std::string("targets/") + verb, body);
    };
    const Json held{{"target", "http://stock.example"}, {"reason", "moves"}, {"ticket", "T-1"}};
    CHECK(object_in(change("hold", held)) ==
          Json{{"target", "http://stock.example"}, {"verb", "hold"}, {"taken", true}});
    CHECK(change("hold", held).status == 409);
    const auto holds = object_in(site.admin("GET", "holds")).at("holds");
    REQUIRE(holds.size() == 1);
    CHECK(holds[0].at("target") == "http://stock.example");
    CHECK(holds[0].at("reason") == "moves [T-1]");
    CHECK(holds[0].at("asked_by") == "ops via 10.0.0.7");
    CHECK(change("release", {{"target", "http://stock.example"}}).status == 200);
    CHECK(change("release", held).status == 404);
    CHECK(change("hold", {{"target", "x"}}).status == 400);
  }

  TEST_CASE("a branch is edited, and neither payload is shown to who may not see it") {
    ApiSite site;
    CHECK(site.admin("POST", "transactions",
                     {{"gid", "g"},
                      {"mode", "saga"},
                      {"steps", {{{"action", "nobody"}, {"payload", "secret-old"}}}}})
              .status == 200);
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (site.engine().counters().stuck < 1 && std::chrono::steady_clock::now() < late)
      std::this_thread::yield();
    REQUIRE(site.engine().counters().stuck == 1);
    const auto edit = [&](const Json& changes) {
      Json body{{"branch_id", "01"}, {"op", "action"}, {"reason", "wrong account"}};
      body.update(changes);
      return site.admin("POST", "transactions/g/edit", body);
    };
    CHECK(edit({{"payload", "a"}, {"payload_base64", "YQ=="}}).status == 400);
    CHECK(message_of(edit({{"payload_base64", "*"}})) == "'payload_base64' is no base64");
    CHECK(edit({{"headers", {{"a", "b"}}}}).status == 400);
    CHECK(edit({{"without_headers", {1}}}).status == 400);
    for (const Json& hidden : {Json{{"target", "http://***@h/"}},
                               Json{{"headers", Json::array({Json::array({"a", "***"})})}}})
      CHECK(message_of(edit(hidden)).find("'***' stands for what was not shown") !=
            std::string::npos);
    CHECK(edit(Json::object()).status == 400);
    CHECK(edit({{"payload", "secret-new"},
                {"headers", Json::array({Json::array({"X-Shop", "secret-header"})})}})
              .status == 200);
    const auto shown = site.admin("GET", "transactions/g");
    CHECK(object_in(shown).at("definition").contains("before_edits"));
    CHECK(shown.body.find("secret") == shown.body.npos);
    CHECK(edit({{"target", "ok"}}).status == 200);
    CHECK(site.reaches("g", Status::succeed));
  }

  TEST_CASE("the same key carries a request out once") {
    ApiSite site;
    REQUIRE(site.bring("g", "saga", Status::submitted));
    const http::Fields key{{"Idempotency-Key", "k1"}};
    const Json reason{{"reason", "x"}};
    const auto first = site.admin("POST", "transactions/g/stop", reason, key);
    CHECK(first.status == 200);
    CHECK(site.admin("POST", "transactions/g/stop", reason).status == 409);
    const auto again = site.admin("POST", "transactions/g/stop", reason, key);
    CHECK(again.status == 200);
    CHECK(again.body == first.body);
    const auto other = site.admin("POST", "transactions/g/stop", {{"reason", "y"}}, key);
    CHECK(other.status == 422);
    CHECK(error_of(other) == "idempotency_key_reused");
    CHECK(site.admin("POST", "transactions/h/stop", reason, key).status == 422);
    for (const auto& wrong : {std::string(129, 'k'), std::string("a b"), std::string("\xc3\xa9")})
      CHECK(
          site.admin("POST", "transactions/g/stop", reason, {{"Idempotency-Key", wrong}}).status ==
          400);
  }
}

}  // namespace belay::test
