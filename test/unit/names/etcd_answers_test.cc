// What a real etcd says only at rare moments, from a peer that says it at once.
#include <doctest/doctest.h>

#include <atomic>
#include <string>

#include "support/http_peer.h"
#include "unit/names/names_site.h"

namespace belay::test {
namespace {

constexpr const char* kOneEntry =
    R"({"header":{"revision":"7"},"kvs":[{"key":"c3RvY2svMQ==","mod_revision":"7",)"
    R"("value":"MTAuMC4wLjE6ODA="}]})";

std::string stock_at(const HttpPeer& peer, const std::string& query = {}) {
  return "etcd://127.0.0.1:" + std::to_string(peer.port()) + "/stock/p.S/M" + query;
}

}  // namespace

TEST_SUITE("names/etcd answers") {
  TEST_CASE("a token that has ended is asked for again, and nobody calls that a failure") {
    std::atomic<int> tokens = 0;
    std::atomic<int> valid = 1;
    std::atomic<int> ranges = 0;
    HttpPeer peer([&](const PeerRequest& request) {
      if (request.target == "/v3/auth/authenticate")
        return say(200, R"({"token":"t)" + std::to_string(++tokens) + "\"}");
      if (request.target == "/v3/watch") return say(200);  // it ends, so the range is asked again
      if (request.header("Authorization") != "t" + std::to_string(valid))
        return say(401, R"({"error":"etcdserver: invalid auth token"})");
      ++ranges;
      return say(200, kOneEntry);
    });
    NamesSite site;
    REQUIRE(site.gets(stock_at(peer, "?user=u&password=p"), "10.0.0.1:80"));
    valid = 2;
    const int before = ranges;
    REQUIRE(site.run_until([&] { return ranges > before; }));
    CHECK(tokens == 2);
    CHECK(site.lines_with("cannot be asked") == 0);
    valid = -1;  // now no token is good, and that is a failure
    REQUIRE(site.run_until([&] { return site.is_stale(); }));
    CHECK(site.figures().last_error.find("invalid auth token") != std::string::npos);
  }

  TEST_CASE("an answer that cannot be read, or is too large, is a failure with its reason") {
    const std::string large = R"({"header":{"revision":"7"},"x":")" + std::string(5 << 20, 'x');
    for (const auto& [body, why] : {std::pair<std::string, std::string>{"<html>", "cannot be read"},
                                    {"", "cannot be read"},
                                    {large, "larger than 4194304"}}) {
      HttpPeer peer([&answer = body](const PeerRequest&) { return say(200, answer); });
      NamesSite site;
      CHECK(site.look_up(stock_at(peer)) == "waits");
      REQUIRE(site.run_until([&] { return !site.told().empty(); }));
      CHECK(site.told().front().find(why) != std::string::npos);
    }
  }

  TEST_CASE("a server that takes no watches is asked less and less often") {
    std::atomic<int> ranges = 0;
    HttpPeer peer([&](const PeerRequest& request) {
      if (request.target == "/v3/watch") return say(404);
      ++ranges;
      return say(200, kOneEntry);
    });
    NamesSite site;
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(site.gets(stock_at(peer), "10.0.0.1:80"));
    REQUIRE(site.run_until([&] { return ranges == 5; }));
    CHECK(std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(2'500));
    CHECK_FALSE(site.is_stale());
  }

  TEST_CASE("a watch whose history was compacted, or that a registry without its data took, ends") {
    for (const auto* line : {R"({"result":{"canceled":true,"compact_revision":"9"}})",
                             R"({"error":{"grpc_code":14,"message":"no leader"}})", "garbage",
                             R"({"result":{"header":{"revision":"3"},"created":true}})"}) {
      std::atomic<int> ranges = 0;
      HttpPeer peer([&, text = std::string(line)](const PeerRequest& request) {
        if (request.target != "/v3/watch") return ++ranges, say(200, kOneEntry);
        auto answer = raw("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + text + '\n');
        answer.after = PeerAnswer::After::hang;
        return answer;
      });
      NamesSite site;
      const auto begin = std::chrono::steady_clock::now();
      REQUIRE(site.gets(stock_at(peer), "10.0.0.1:80"));
      REQUIRE(site.run_until([&] { return ranges == 3; }));
      CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(10));
      CHECK_FALSE(site.is_stale());
    }
  }

  TEST_CASE("an event that the range has seen already changes nothing") {
    HttpPeer peer([&](const PeerRequest& request) {
      if (request.target != "/v3/watch") return say(200, kOneEntry);
      // stock/1 went at 5 and came back; stock/2 is new.
      auto answer =
          raw("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
              R"({"result":{"header":{"revision":"8"},"events":[{"type":"DELETE","kv":)"
              R"({"key":"c3RvY2svMQ==","mod_revision":"5"}},{"kv":{"key":"c3RvY2svMg==",)"
              R"("mod_revision":"8","value":"MTAuMC4wLjE6ODE="}}]}})"
              "\n");
      answer.after = PeerAnswer::After::hang;
      return answer;
    });
    NamesSite site;
    REQUIRE(site.gets(stock_at(peer), "10.0.0.1:80 10.0.0.1:81"));
  }

  TEST_CASE("a line of a watch without an end fills no memory") {
    std::atomic<int> ranges = 0;
    HttpPeer peer([&](const PeerRequest& request) {
      if (request.target == "/v3/watch") return say(200, std::string(1 << 20, 'x'));
      ++ranges;
      return say(200, kOneEntry);
    });
    NamesSite site;
    REQUIRE(site.gets(stock_at(peer), "10.0.0.1:80"));
    REQUIRE(site.run_until([&] { return ranges == 3; }));
    CHECK(site.look_up(stock_at(peer)) == "10.0.0.1:80");
  }
}

}  // namespace belay::test
