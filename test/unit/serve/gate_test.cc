// Who is let in.
#include <doctest/doctest.h>

#include "serve/gate.h"

namespace belay::tool {
namespace {

http::Request get(const std::string& path, http::Fields headers = {}) {
  return {"GET", path, {}, std::move(headers), {}};
}

int status_of(const Gate& gate, const http::Request& request) {
  const auto refused = gate.refuse(request);
  return refused ? refused->status : 200;
}

}  // namespace

TEST_SUITE("serve/gate") {
  TEST_CASE("without tokens everybody may ask") {
    const Gate gate({});
    CHECK(status_of(gate, get("/api/dtmsvr/newGid")) == 200);
  }

  TEST_CASE("with tokens one of them is needed, save for ping and healthz") {
    const Gate gate({"first", "second"});
    CHECK(status_of(gate, get("/metrics")) == 401);
    CHECK(status_of(gate, get("/api/ping")) == 200);
    CHECK(status_of(gate, get("/healthz")) == 200);
    for (const auto* good : {"Bearer first", "Bearer second", "bearer first"}) {
      CHECK(status_of(gate, get("/metrics", {{"authorization", good}})) == 200);
    }
    for (const auto* bad :
         {"Bearer ", "Bearer firs", "Bearer first2", "Bearer third", "first", "Basic first", ""}) {
      CHECK_MESSAGE(status_of(gate, get("/metrics", {{"Authorization", bad}})) == 401, bad);
    }
  }

  TEST_CASE("replaced tokens hold for the next request") {
    Gate gate({"first"});
    gate.replace_tokens({"second"});
    CHECK(status_of(gate, get("/metrics", {{"Authorization", "Bearer first"}})) == 401);
    CHECK(status_of(gate, get("/metrics", {{"Authorization", "Bearer second"}})) == 200);
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
    const auto refused = gate.refuse(get("/healthz", {{"Host", "evil.example"}}));
    CHECK(refused->body.find("--allow-host") != std::string::npos);
    CHECK(refused->content_type.starts_with("application/json"));
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
    CHECK(status_of(gate, get("/api/dtmsvr/subscribe")) == 503);
    const auto refused = gate.refuse({"POST", "/api/dtmsvr/submit", {}, {}, "{}"});
    REQUIRE(refused);
    CHECK(refused->status == 503);
    CHECK(refused->headers.front().first == "Retry-After");
  }
}

}  // namespace belay::tool
