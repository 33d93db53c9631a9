// An engine whose branches are services in a real etcd, and in a resolver of its own.
#include <belay/belay.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/etcd_server.h"
#include "support/h2_peer.h"
#include "support/http_peer.h"
#include "unit/hook/shop.h"

namespace belay::test {
namespace {

constexpr Millis kPatience{60'000};

template <class Peer>
std::string place_of(const Peer& peer) {
  return "127.0.0.1:" + std::to_string(peer.port());
}

// Whether all names of the engine become so.
bool all_names(Shop& shop, const std::function<bool(const NameFigures& name)>& are_so) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    const auto names = shop->names();
    if (names && std::all_of(names->begin(), names->end(), are_so)) return true;
    std::this_thread::yield();
  }
  return false;
}

Status end_of(Shop& shop, const Saga& saga) {
  REQUIRE(shop->submit(saga));
  const auto report = shop->wait(saga.gid(), kPatience);
  REQUIRE(report);
  return report->status();
}

}  // namespace

TEST_SUITE("names/engine") {
  TEST_CASE("branches by HTTP and gRPC are found in etcd, also while it is away") {
    EtcdServer etcd;
    REQUIRE(etcd.start());
    HttpPeer http([](const PeerRequest&) { return say(200); });
    H2Peer grpc([](const H2Request&) { return H2Answer(); });
    etcd.put("stock/1", place_of(http));
    etcd.put("bank/1", place_of(grpc));
    Shop shop;
    const auto saga = [&](const std::string& gid) {
      return Saga(gid)
          .step("http+etcd://" + etcd.place() + "/stock/take", "", "{}")
          .step("etcd://" + etcd.place() + "/bank/busi.Busi/TransOut", "", "x");
    };
    CHECK(end_of(shop, saga("g1")) == Status::succeed);
    CHECK(http.requests().size() == 1);
    CHECK(grpc.requests().size() == 1);
    CHECK(grpc.requests()[0].field(":path") == "/busi.Busi/TransOut");
    const auto known = shop->names();
    REQUIRE(known);
    REQUIRE(known->size() == 2);
    CHECK(known->at(0).name == "etcd://" + etcd.place() + "/bank");
    CHECK(known->at(1).endpoints == 1);
    etcd.kill();
    CHECK(end_of(shop, saga("g2")) == Status::succeed);
    CHECK(http.requests().size() == 2);
    CHECK(all_names(shop, [](const NameFigures& name) {
      return name.stale_for > Millis{0} && name.failures > 0;
    }));
    CHECK(shop->names()->at(1).endpoints == 1);
  }

  TEST_CASE("a service that registers late gets the calls that waited for it") {
    EtcdServer etcd;
    REQUIRE(etcd.start());
    HttpPeer http([](const PeerRequest&) { return say(200); });
    Shop shop;
    REQUIRE(shop->submit(Saga("g1").step("http+etcd://" + etcd.place() + "/late/take", "")));
    const auto early = shop->wait("g1", Millis{100});
    CHECK((!early || early->status() == Status::submitted));
    etcd.put("late/1", place_of(http));
    const auto report = shop->wait("g1", kPatience);
    REQUIRE(report);
    CHECK(report->status() == Status::succeed);
  }

  TEST_CASE("the program's own resolver is asked, and a word that nobody knows is refused") {
    HttpPeer http([](const PeerRequest&) { return say(200); });
    HookOptions options;
    options.resolvers["mine"].ask = [&](const std::string& name, const Resolved& done) {
      if (name != "stock") return done(Error{ErrorCode::not_found, "no such service"});
      done(std::vector<Endpoint>{{.host = "127.0.0.1", .port = http.port()}});
    };
    Shop shop(options);
    CHECK(shop->names()->empty());
    CHECK(end_of(shop, Saga("g1").step("http+mine://stock/take", "")) == Status::succeed);
    CHECK(http.requests().size() == 1);
    const auto refused = shop->submit(Saga("g2").step("http+yours://stock/take", ""));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::invalid_argument);
    CHECK(refused.error().detail.find("the source 'yours'") != std::string::npos);
    REQUIRE(shop->submit(Saga("g3").step("http+mine://none/take", "")));
    const auto report = shop->wait("g3", Millis{200});
    CHECK((!report || report->status() == Status::submitted));
  }

  TEST_CASE("resolvers and registries that make no sense stop the engine before its file") {
    const TempDir dir;
    Options options;
    options.hooks.resolvers["etcd"].ask = [](const std::string&, const Resolved&) {};
    CHECK(Engine::open(dir.file("a.db"), options).error().code == ErrorCode::invalid_argument);
    options.hooks.resolvers.clear();
    options.hooks.registries["discovery"] = "etcd://h:1/no-place-for-the-name";
    CHECK(Engine::open(dir.file("a.db"), options).error().code == ErrorCode::invalid_argument);
  }
}

}  // namespace belay::test
