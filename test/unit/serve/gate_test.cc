// Who is let in.
#include <doctest/doctest.h>

#include "serve/gate.h"

namespace belay::tool {
namespace {

http::Request get(const std::string& path, http::Fields headers = {}) {
  return {"GET", path, {}, std::move(headers), {}};
}

int status_of(const Gate& gate, const http::Request& request) {
  const auto refusal = gate.judge(request).refusal;
  return refusal ? protocol::http_status(refusal->answer.kind) : 200;
}

Tokens all_rights(std::vector<std::string> secrets) {
  Tokens tokens;
  for (auto& secret : secrets) tokens.push_back({"name", protocol::Role::admin, std::move(secret)});
  return tokens;
}

}  // namespace

TEST_SUITE("serve/gate") {
  TEST_CASE("without tokens everybody may ask") {
    const Gate gate({});
    CHECK(status_of(gate, get("/api/dtmsvr/newGid")) == 200);
  }

  TEST_CASE("with tokens one of them is needed, save for ping and healthz") {
    const Gate gate(all_rights({"first", "second"}));
    CHECK(status_of(gate, get("/metrics")) == 401);
    CHECK(status_of(gate, get("/api/ping")) == 200);
    CHECK(status_of(gate, get("/healthz")) == 200);
    for (const auto* good : {"Bearer first", "Bearer second", "bearer first", "Bearer  first "}) {
      CHECK(status_of(gate, get("/metrics", {{"authorization", good}})) == 200);
    }
    for (const auto* bad :
         {"Bearer ", "Bearer firs", "Bearer first2", "Bearer third", "first", "Basic first", ""}) {
      CHECK_MESSAGE(status_of(gate, get("/metrics", {{"Authorization", bad}})) == 401, bad);
    }
  }

  TEST_CASE("replaced tokens hold for the next request") {
    Gate gate(all_rights({"first"}));
    const auto judged = gate.judge(get("/metrics", {{"Authorization", "Bearer first"}}));
    CHECK(judged.replaced == gate.replaced());
    gate.replace_tokens(all_rights({"second"}));
    CHECK(judged.replaced != gate.replaced());
    CHECK(status_of(gate, get("/metrics", {{"Authorization", "Bearer first"}})) == 401);
    CHECK(status_of(gate, get("/metrics", {{"Authorization", "Bearer second"}})) == 200);
  }

  TEST_CASE("each route answers from its role on, and says which role it needs") {
    using protocol::Role;
    const std::vector<std::pair<Role, std::vector<std::pair<const char*, const char*>>>> needed = {
        {Role::metrics, {{"GET", "/metrics"}, {"GET", "/api/metrics"}, {"GET", "/nowhere"}}},
        {Role::read,
         {{"GET", "/api/dtmsvr/query"},
          {"GET", "/api/dtmsvr/all"},
          {"GET", "/api/dtmsvr/scanKV"},
          {"GET", "/api/dtmsvr/queryKV"},
          {"GET", "/api/dtmsvr/version"}}},
        {Role::read,
         {{"GET", "/api/belay/v1/overview"},
          {"GET", "/api/belay/v1/events"},
          {"GET", "/api/belay/v1/transactions/a"},
          {"GET", "/api/belay/v1/transactions/%2f/why"}}},
        {Role::submit, {{"POST", "/api/belay/v1/transactions"}}},
        {Role::admin,
         {{"POST", "/api/belay/v1/transactions/a/stop"},
          {"POST", "/api/belay/v1/transactions/%zz/back"},
          {"POST", "/api/belay/v1/transactions/a%2Fwhy/resolve"},
          {"POST", "/api/belay/v1/topics/delete"}}},
        {Role::submit,
         {{"GET", "/api/dtmsvr/newGid"},
          {"POST", "/api/dtmsvr/prepare"},
          {"POST", "/api/dtmsvr/submit"},
          {"POST", "/api/dtmsvr/abort"},
          {"POST", "/api/dtmsvr/registerBranch"},
          {"POST", "/api/dtmsvr/registerXaBranch"},
          {"POST", "/api/dtmsvr/registerTccBranch"},
          {"POST", "/api/dtmsvr/prepareWorkflow"},
          {"POST", "/api/json-rpc"}}},
        {Role::admin,
         {{"POST", "/api/dtmsvr/forceStop"},
          {"GET", "/api/dtmsvr/resetCronTime"},
          {"POST", "/api/dtmsvr/resetNextCronTime"},
          {"GET", "/api/dtmsvr/subscribe"},
          {"GET", "/api/dtmsvr/unsubscribe"},
          {"DELETE", "/api/dtmsvr/topic/t"}}},
    };
    for (const auto role : {Role::metrics, Role::read, Role::submit, Role::admin}) {
      const Gate gate({{"name", role, "secret"}});
      for (const auto& [least, routes] : needed) {
        for (const auto& route : routes) {
          CAPTURE(route.second);
          CAPTURE(protocol::name_of(role));
          const auto judged =
              gate.judge({route.first, route.second, {}, {{"Authorization", "Bearer secret"}}, {}});
          CHECK(judged.refusal.has_value() == (role < least));
          CHECK(judged.caller.name == (judged.refusal ? "" : "name"));
          if (!judged.refusal) continue;
          CHECK(protocol::http_status(judged.refusal->answer.kind) == 403);
          CHECK(judged.refusal->denial == Denial::small_role);
          CHECK(judged.refusal->caller == "name");
          CHECK(judged.refusal->answer.text.find(protocol::name_of(least)) != std::string::npos);
        }
      }
    }
  }

  TEST_CASE("why a request is denied is told") {
    const Gate gate(all_rights({"secret"}), AllowedHosts({"belay"}));
    const auto why = [&](http::Fields headers) {
      const auto refusal = gate.judge(get("/metrics", std::move(headers))).refusal;
      REQUIRE(refusal);
      return refusal->denial;
    };
    CHECK(why({{"Host", "other"}}) == Denial::other_host);
    CHECK(why({{"Host", "belay"}}) == Denial::no_token);
    CHECK(why({{"Host", "belay"}, {"Authorization", "Bearer x"}}) == Denial::unknown_token);
    CHECK(why({{"Host", "belay"},
               {"Authorization", "Bearer secret"},
               {"Sec-Fetch-Site", "cross-site"}}) == Denial::web_page);
  }

  TEST_CASE("tokens are compared as a whole") {
    CHECK(equal_in_constant_time("token", "token"));
    CHECK_FALSE(equal_in_constant_time("token", "tokenn"));
    CHECK_FALSE(equal_in_constant_time("token", "tokentoken"));
    CHECK_FALSE(equal_in_constant_time("token", "toke"));
    CHECK_FALSE(equal_in_constant_time("token", ""));
    CHECK_FALSE(equal_in_constant_time("aaaa", "a"));
  }

  TEST_CASE("pages of other sites may not use somebody's browser") {
    const Gate gate({});
    CHECK(status_of(gate, get("/api/dtmsvr/newGid", {{"sec-fetch-site", "cross-site"}})) == 403);
    CHECK(status_of(gate, get("/api/dtmsvr/newGid", {{"Sec-Fetch-Site", "none"}})) == 200);
  }

  TEST_CASE("a name that is not allowed is answered 403, with the option that allows it") {
    const Gate gate({}, AllowedHosts({"belay.example"}));
    const auto with = [&](const std::string& host) {
      return status_of(gate, get("/healthz", {{"Host", host}}));
    };
    for (const auto* good : {"localhost", "LocalHost:36789", "localhost.", "localhost.:1", "[::1]",
                             "[::1]:36789", "127.0.0.1", "127.0.0.1.:1", "Belay.Example:80"}) {
      CHECK_MESSAGE(with(good) == 200, good);
    }
    for (const auto* bad :
         {"", "evil.example", "localhost.evil.example", "localhost:x", "localhost:1:2", "[::1",
          "::1", "[::2]", "127.0.0.10", "localhost..", ".", "localhost,evil", "me@localhost",
          "localhost/", "http://localhost"}) {
      CHECK_MESSAGE(with(bad) == 403, bad);
    }
    CHECK(status_of(gate, get("/healthz")) == 403);
    const auto refusal = gate.judge(get("/healthz", {{"Host", "evil.example"}})).refusal;
    REQUIRE(refusal);
    CHECK(refusal->answer.text.find("--allow-host") != std::string::npos);
    const auto response = protocol::to_response(refusal->answer);
    CHECK(response.content_type.starts_with("application/json"));
  }

  TEST_CASE("a browser that does not say which site asks is known by its page's origin") {
    const Gate gate({});
    const auto from = [&](const char* origin) {
      return status_of(gate, get("/api/ping", {{"Host", "belay:36789"}, {"Origin", origin}}));
    };
    CHECK(from("http://belay:36789") == 200);
    CHECK(from("https://belay:36789") == 200);
    for (const auto* other : {"http://evil.example", "http://belay:80", "http://belay", "null"}) {
      CHECK_MESSAGE(from(other) == 403, other);
    }
  }

  TEST_CASE("while it drains questions are answered and work is not taken") {
    Gate gate({});
    gate.drain();
    CHECK(status_of(gate, get("/api/dtmsvr/query")) == 200);
    CHECK(status_of(gate, get("/metrics")) == 200);
    CHECK(status_of(gate, get("/healthz")) == 503);
    for (const auto* name : {"subscribe", "unsubscribe", "resetCronTime"})
      CHECK(status_of(gate, get(std::string("/api/dtmsvr/") + name)) == 503);
    const auto refusal = gate.judge({"POST", "/api/dtmsvr/submit", {}, {}, "{}"}).refusal;
    REQUIRE(refusal);
    const auto response = protocol::to_response(refusal->answer);
    CHECK(response.status == 503);
    CHECK(response.headers.front().first == "Retry-After");
    CHECK_FALSE(refusal->denial);
  }

  TEST_CASE("another door's requests are judged by the same tokens and the same drain") {
    using protocol::Role;
    Gate gate({{"shop", Role::submit, "s"}});
    const auto status = [&](const Question& question) {
      const auto refusal = gate.judge(question).refusal;
      return refusal ? protocol::http_status(refusal->answer.kind) : 200;
    };
    CHECK(status({Role::submit, false, ""}) == 401);
    CHECK(status({Role::submit, false, "Bearer x"}) == 401);
    CHECK(status({Role::admin, false, "Bearer s"}) == 403);
    CHECK(status({Role::submit, false, "bearer s"}) == 200);
    CHECK(gate.judge(Question{Role::submit, false, "Bearer s"}).caller.name == "shop");
    gate.drain();
    CHECK(status({Role::submit, false, "Bearer s"}) == 503);
    CHECK(status({Role::submit, true, "Bearer s"}) == 200);
    CHECK(status({Role::submit, false, ""}) == 401);
  }
}

}  // namespace belay::tool
