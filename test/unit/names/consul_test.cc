// Names in Consul, of which a stand-in says what the documentation says.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/consul_stand_in.h"
#include "unit/names/names_site.h"

namespace belay::test {
namespace {

using Mood = ConsulStandIn::Mood;

std::string stock_in(const ConsulStandIn& consul, const std::string& query = "?wait=2s") {
  return "consul://" + consul.place() + "/stock%20x/pkg.Stock/Take" + query;
}

std::string last_asked(const ConsulStandIn& consul) { return consul.requests().back().target; }

}  // namespace

TEST_SUITE("names/consul") {
  TEST_CASE("a change is seen at once, by a question that waits for it") {
    ConsulStandIn consul;
    consul.set({"10.0.0.1:80"});
    NamesSite site;
    const auto target = stock_in(consul, "?token=t&dc=east&tag=v%201");
    REQUIRE(site.gets(target, "10.0.0.1:80"));
    REQUIRE(site.run_until([&] { return consul.requests().size() == 2; }));
    consul.set({"10.0.0.1:80", ":81"});  // the node's address
    REQUIRE(site.gets(target, "10.0.0.1:80 10.9.9.9:81"));
    consul.set({});
    REQUIRE(site.gets(target, "nothing"));
    const auto requests = consul.requests();
    CHECK(requests[0].target == "/v1/health/service/stock%20x?passing=true&dc=east&tag=v%201");
    CHECK(requests[1].target ==
          "/v1/health/service/stock%20x?passing=true&index=8&wait=30s&dc=east&tag=v%201");
    CHECK(requests[0].header("X-Consul-Token") == "t");
    CHECK_FALSE(site.is_stale());
  }

  TEST_CASE("an index that goes back, or is not there, begins anew") {
    ConsulStandIn consul;
    consul.set_index(1'000);
    consul.set({"10.0.0.1:80"});
    NamesSite site;
    REQUIRE(site.gets(stock_in(consul), "10.0.0.1:80"));
    REQUIRE(
        site.run_until([&] { return last_asked(consul).find("index=1001") != std::string::npos; }));
    consul.set_index(3);
    consul.set({"10.0.0.2:80"});
    REQUIRE(site.gets(stock_in(consul), "10.0.0.2:80"));
    REQUIRE(
        site.run_until([&] { return last_asked(consul).find("index=4&") != std::string::npos; }));
    const auto requests = consul.requests();
    CHECK(std::any_of(requests.begin() + 2, requests.end(), [](const auto& request) {
      return request.target.find("index") == std::string::npos;
    }));
    consul.set_mood(Mood::without_index);
    consul.set({"10.0.0.3:80"});
    REQUIRE(site.gets(stock_in(consul), "10.0.0.3:80"));
    CHECK_FALSE(site.is_stale());
  }

  TEST_CASE("a Consul that does not wait is not asked all the time") {
    ConsulStandIn consul;
    consul.set_mood(Mood::hasty);
    consul.set({"10.0.0.1:80"});
    NamesSite site;
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(site.gets(stock_in(consul), "10.0.0.1:80"));
    REQUIRE(site.run_until([&] { return consul.requests().size() >= 4; }));
    CHECK(std::chrono::steady_clock::now() - begin > std::chrono::seconds(2));
  }

  TEST_CASE("refusals, garbage and silence leave the last list") {
    for (const auto mood : {Mood::broken, Mood::garbage, Mood::silent}) {
      CAPTURE(static_cast<int>(mood));
      ConsulStandIn consul;
      consul.set({"10.0.0.1:80"});
      NamesSite site;
      REQUIRE(site.gets(stock_in(consul), "10.0.0.1:80"));
      consul.set_mood(mood);
      REQUIRE(site.run_until([&] { return site.is_stale(); }));
      CHECK(site.look_up(stock_in(consul)) == "10.0.0.1:80");
      consul.set_mood(Mood::sound);
      consul.set({"10.0.0.2:80"});
      REQUIRE(site.gets(stock_in(consul), "10.0.0.2:80"));
      CHECK_FALSE(site.is_stale());
    }
  }

  TEST_CASE("the first answer may be a refusal, which is told") {
    ConsulStandIn consul;
    consul.set_mood(Mood::broken);
    NamesSite site;
    CHECK(site.look_up(stock_in(consul)) == "waits");
    REQUIRE(site.run_until([&] { return !site.told().empty(); }));
    CHECK(site.told().front() == "failed: " + consul.place() + ": HTTP 500: No cluster leader");
  }

  TEST_CASE("an answer beyond the limit is a failure, and fills no memory") {
    ConsulStandIn consul;
    consul.set(std::vector<std::string>(20'000, std::string(200, 'h') + ":80"));
    NamesSite site;
    CHECK(site.look_up(stock_in(consul)) == "waits");
    REQUIRE(site.run_until([&] { return !site.told().empty(); }));
    CHECK(site.told().front().find("its answer is larger than 4194304") != std::string::npos);
  }
}

}  // namespace belay::test
