// Calls to services that are found by name: which endpoint they go to, and what waits.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "names/balance.h"
#include "support/h2_peer.h"
#include "support/http_peer.h"
#include "unit/hook/hook_site.h"

namespace belay::test {
namespace {

// Lists that the test sets; a name without one waits.
class FakeDirectory final : public hook::Directory {
 public:
  Result<> check(std::string_view) const override { return {}; }
  names::LookUp look_up(const names::Name& name, names::Found found) override {
    ++look_ups;
    if (!has_resources) return {};
    if (const auto it = lists_.find(name.name); it != lists_.end()) return {&it->second, 0};
    waiting_[++last_] = {name.name, std::move(found)};
    return {nullptr, last_};
  }
  void forget(names::Ticket ticket) override { waiting_.erase(ticket); }

  void set(const std::string& name, std::vector<Endpoint> endpoints) {
    lists_[name].set(std::move(endpoints));
    answer(name, &lists_[name], "");
  }
  void fail(const std::string& name, const std::string& why) { answer(name, nullptr, why); }
  std::size_t waiting() const { return waiting_.size(); }

  int look_ups = 0;
  bool has_resources = true;

 private:
  void answer(const std::string& name, names::Balancer* balancer, const std::string& why) {
    std::vector<names::Found> told;
    for (auto it = waiting_.begin(); it != waiting_.end();) {
      const bool is_it = it->second.first == name;
      if (is_it) told.push_back(std::move(it->second.second));
      it = is_it ? waiting_.erase(it) : std::next(it);
    }
    for (const auto& found : told) found(balancer, why);
  }

  std::map<std::string, names::Balancer> lists_;
  std::map<names::Ticket, std::pair<std::string, names::Found>> waiting_;
  names::Ticket last_ = 0;
};

Endpoint at(const HttpPeer& peer) { return {.host = "127.0.0.1", .port = peer.port()}; }
Endpoint at(const H2Peer& peer) { return {.host = "127.0.0.1", .port = peer.port()}; }

PeerAnswer http_yes(const PeerRequest&) { return say(200); }
H2Answer h2_yes(const H2Request&) { return {}; }

}  // namespace

TEST_SUITE("hook/services") {
  TEST_CASE("calls go to a service's endpoints in turn, by HTTP and by gRPC") {
    HttpPeer a(http_yes), b(http_yes);
    H2Peer c(h2_yes), d(h2_yes);
    FakeDirectory names;
    names.set("stock", {at(a), at(b)});
    names.set("bank", {at(c), at(d)});
    HookSite site({}, &names);
    for (int i = 0; i < 10; ++i) {
      CHECK(site.told("http+etcd://h:1/stock/take?x=1") == "success");
      CHECK(site.told("etcd://h:1/bank/busi.Busi/TransOut") == "success");
    }
    CHECK(a.requests().size() == 5);
    CHECK(b.requests().size() == 5);
    CHECK(c.requests().size() == 5);
    CHECK(d.requests().size() == 5);
    CHECK(a.requests()[0].target == "/take?x=1&branch_id=01&gid=g1&op=action&trans_type=saga");
    CHECK(c.requests()[0].field(":path") == "/busi.Busi/TransOut");
    CHECK(site.figures("http://127.0.0.1:" + std::to_string(a.port())).success == 5);
  }

  TEST_CASE("a call waits until a service is known, in a lane of its own") {
    HttpPeer peer(http_yes);
    FakeDirectory names;
    HookSite site({}, &names);
    const auto* target = "http+etcd://h:1/stock/take";
    const auto lane = site.hooks().lane_of(target);
    CHECK(lane != 0);
    CHECK(lane != site.hooks().lane_of("http+etcd://h:1/other/take"));
    CHECK(lane == site.hooks().lane_of("http+etcd://h:1/stock/give"));
    CHECK_FALSE(site.hooks().has_place(lane));
    CHECK_FALSE(site.hooks().has_place(lane));
    CHECK(names.waiting() == 1);
    names.set("stock", {at(peer)});
    CHECK(site.opened() == std::vector<ports::Lane>{lane});
    CHECK(site.hooks().has_place(lane));
    CHECK(site.told(target) == "success");
  }

  TEST_CASE("a service that cannot be found is no connection, and is looked up again later") {
    FakeDirectory names;
    HookSite site({}, &names);
    const auto* target = "http+etcd://h:1/stock/take";
    const auto lane = site.hooks().lane_of(target);
    CHECK_FALSE(site.hooks().has_place(lane));
    names.fail("stock", "connection refused");
    CHECK(site.hooks().has_place(lane));
    CHECK(site.told(target) ==
          "unknown: no connection: etcd://h:1/stock has no endpoint: connection refused");
    CHECK(names.look_ups == 1);
    names.set("stock", {});
    site.run_until([&] { return site.hooks().has_place(lane) && names.look_ups > 1; });
    CHECK(site.told(target) ==
          "unknown: no connection: etcd://h:1/stock has no endpoint: its list is empty");
  }

  TEST_CASE("a look-up that fails late is told to the calls that wait, too") {
    FakeDirectory names;
    HookSite site({}, &names);
    const auto* target = "http+etcd://h:1/stock/take";
    const auto lane = site.hooks().lane_of(target);
    CHECK_FALSE(site.hooks().has_place(lane));
    const auto later = std::chrono::steady_clock::now() + Millis{1'100};
    site.run_until([&] { return std::chrono::steady_clock::now() > later; });
    names.fail("stock", "no answer came in time");
    CHECK(site.opened() == std::vector<ports::Lane>{lane});
    CHECK(names.look_ups == 1);
    CHECK(site.told(target).find("no answer came in time") != std::string::npos);
  }

  TEST_CASE("without resources for a look-up the call is answered all the same") {
    FakeDirectory names;
    names.has_resources = false;
    HookSite site({}, &names);
    CHECK(site.hooks().has_place(site.hooks().lane_of("etcd://h:1/stock/a.B/C")));
    CHECK(site.told("etcd://h:1/stock/a.B/C").find("no resources") != std::string::npos);
  }

  TEST_CASE("a new list opens a lane whose endpoints are all shut for long") {
    const auto gone = HttpPeer(http_yes).port();
    HttpPeer good(http_yes);
    FakeDirectory names;
    names.set("stock", {{.host = "127.0.0.1", .port = gone}});
    HookOptions options;
    options.breaker_failures = 1;
    options.breaker_open_first = Millis{60'000};
    options.breaker_open_max = Millis{60'000};
    HookSite site(options, &names);
    const auto* target = "http+etcd://h:1/stock/take";
    CHECK(site.told(target).starts_with("unknown: "));
    const auto lane = site.hooks().lane_of(target);
    CHECK_FALSE(site.hooks().has_place(lane));
    names.set("stock", {at(good)});
    CHECK(site.run_until([&] { return !site.opened().empty(); }));
    CHECK(site.opened() == std::vector<ports::Lane>{lane});
    CHECK(site.told(target) == "success");
  }

  TEST_CASE("an endpoint that does not answer is passed over, until it is tried again") {
    const auto gone = HttpPeer(http_yes).port();
    HttpPeer good(http_yes);
    FakeDirectory names;
    names.set("stock", {at(good), {.host = "127.0.0.1", .port = gone}});
    HookOptions options;
    options.breaker_failures = 2;
    options.breaker_open_first = Millis{60'000};
    options.breaker_open_max = Millis{60'000};
    HookSite site(options, &names);
    int failures = 0;
    for (int i = 0; i < 30; ++i) {
      const auto said = site.told("http+etcd://h:1/stock/take");
      if (said == "success") continue;
      ++failures;
      CHECK(said == "unknown: no connection: Failed to connect to 127.0.0.1 port " +
                        std::to_string(gone) +
                        " after 0 ms: Couldn't connect to server (http://127.0.0.1:" +
                        std::to_string(gone) + ")");
    }
    CHECK(failures == 2);
    CHECK(good.requests().size() == 28);
  }

  TEST_CASE("while all endpoints are shut calls wait, and go on when one may be tried") {
    std::atomic<bool> is_down = true;
    H2Peer peer([&](const H2Request&) { return is_down ? status(14, "down") : H2Answer(); });
    FakeDirectory names;
    names.set("stock", {at(peer)});
    HookOptions options;
    options.breaker_failures = 1;
    options.breaker_open_first = Millis{50};
    HookSite site(options, &names);
    const auto* target = "etcd://h:1/stock/a.B/C";
    const auto lane = site.hooks().lane_of(target);
    CHECK(site.told(target).starts_with("unknown: UNAVAILABLE: down (grpc://127.0.0.1:"));
    CHECK_FALSE(site.hooks().has_place(lane));
    is_down = false;
    CHECK(site.run_until([&] { return !site.opened().empty(); }));
    CHECK(site.hooks().has_place(lane));
    CHECK(site.told(target) == "success");
  }

  TEST_CASE("a call that ends makes place for one that waits for the service") {
    H2Answer hang;
    hang.how = H2Answer::How::hang;
    H2Peer peer([&](const H2Request&) { return hang; });
    FakeDirectory names;
    names.set("stock", {at(peer)});
    HookOptions options;
    options.calls_per_host_max = 1;
    HookSite site(options, &names);
    const auto* target = "etcd://h:1/stock/a.B/C";
    const auto lane = site.hooks().lane_of(target);
    const auto call = site.start(target, std::chrono::milliseconds(50));
    CHECK_FALSE(site.hooks().has_place(lane));
    CHECK(site.run_until([&] { return site.has(call); }));
    CHECK(site.opened() == std::vector<ports::Lane>{lane});  // at once, not when it is looked at
  }

  TEST_CASE("a call that ends is no matter of services that wait for other hosts") {
    H2Answer hang;
    hang.how = H2Answer::How::hang;
    H2Peer full([&](const H2Request&) { return hang; });
    H2Peer other(h2_yes);
    FakeDirectory names;
    HookOptions options;
    options.calls_per_host_max = 1;
    HookSite site(options, &names);
    site.start(full.target(), std::chrono::minutes(10));
    constexpr int kServices = 50, kCalls = 500;
    for (int i = 0; i < kServices; ++i) {
      const auto name = "s" + std::to_string(i);
      names.set(name, {at(full)});
      CHECK_FALSE(site.hooks().has_place(site.hooks().lane_of("etcd://h:1/" + name + "/a.B/C")));
    }
    for (int i = 0; i < kCalls; ++i) site.start(other.target(), std::chrono::minutes(10));
    site.run_until([&] { return site.answers() == kCalls; });
    CHECK(site.answers() == kCalls);
    // They are looked at each second, and not at each call.
    CHECK(names.look_ups < kServices * kCalls / 2);
  }

  TEST_CASE("registries and endpoints must be allowed, and REST must be fit") {
    HttpPeer peer(http_yes);
    FakeDirectory names;
    names.set("stock", {at(peer)});
    HookOptions options;
    options.allowed_targets = {"registry.lan", "https://secure.lan", "*.stock.lan"};
    options.refuse_link_local = true;
    HookSite site(options, &names);
    CHECK(site.hooks().check("http+etcd://registry.lan:2379/stock/take"));
    CHECK(site.hooks().check("http+etcds://secure.lan:2379/stock/take"));
    CHECK_FALSE(site.hooks().check("http+etcd://secure.lan:2379/stock/take"));
    CHECK(site.hooks().check("http+etcd://other.lan:2379/stock/take").error().code ==
          ErrorCode::forbidden_target);
    CHECK(site.hooks().check("http+consul://169.254.169.254:80/stock/take").error().code ==
          ErrorCode::forbidden_target);
    CHECK(site.told("http+etcd://registry.lan:2379/stock/take").find("is not among") !=
          std::string::npos);
    CHECK(peer.requests().empty());
    CHECK_FALSE(site.hooks().check("etcd://registry.lan:2379/stock/a.B"));
    CHECK_FALSE(site.hooks().check("jsonrpc+http+etcd://registry.lan:2379/stock/take"));
    CHECK(site.hooks().check("jsonrpc+http+etcd://registry.lan:2379/stock/take?method=m"));
    HookSite without;
    CHECK(without.hooks().check("etcd://h:1/stock/a.B/C").error().code == ErrorCode::unsupported);
  }
}

}  // namespace belay::test
