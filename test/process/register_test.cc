// `belay serve --register`: a server is in its registry while it runs, whatever happens to the
// registry.
#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "served.h"
#include "support/consul_stand_in.h"
#include "support/etcd_server.h"

namespace belay::test {
namespace {

constexpr const char* kEndpoint = "10.0.0.1:36789";

std::vector<std::string> registered_at(const std::string& registry) {
  return {"--register", registry, "--register-endpoint", kEndpoint};
}

// Asks again until that is so; false if it is not within half a minute.
bool comes_true(const std::function<bool()>& is_so) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!is_so()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

// The keys, then the values.
std::string held_by(const EtcdServer& etcd) {
  return etcd.control({"get", "belay/", "--prefix", "--print-value-only"});
}

std::string refusal_of(const std::vector<std::string>& flags) {
  std::vector<std::string> words = {"serve", "--db", "none.db"};
  words.insert(words.end(), flags.begin(), flags.end());
  const auto end = run(belay_spawn(words));
  CHECK(end.exit_code == 2);
  return end.err;
}

}  // namespace

TEST_SUITE("process/register") {
  TEST_CASE("a server is in etcd while it runs, and not after its drain") {
    EtcdServer etcd;
    REQUIRE(etcd.start());
    Served served(registered_at("etcd://" + etcd.place() + "/belay"));
    REQUIRE(served.process().wait_for_output("  registered"));
    CHECK(held_by(etcd) == std::string(kEndpoint) + '\n');
    const auto keys = etcd.control({"get", "belay/", "--prefix", "--keys-only"});
    const auto leases = etcd.control({"lease", "list"});
    const auto lease = leases.substr(leases.rfind('\n', leases.size() - 2) + 1);
    CHECK(keys.substr(6, keys.find('\n') - 6) ==
          std::to_string(std::stoll(lease, nullptr, 16)));  // KEY/LEASE, as go-zero writes it
    const auto end = served.stop();
    CHECK(end.exit_code == 0);
    CHECK(contains(end.err, "no longer registered"));
    CHECK(held_by(etcd).empty());
  }

  TEST_CASE("an etcd that is away delays no start, and gets the server when it comes") {
    EtcdServer etcd;
    Served served(registered_at("etcd://" + etcd.place() + "/belay"));
    REQUIRE(served.listening());
    REQUIRE(served.process().wait_for_output("belay tries again"));
    CHECK(status_of(served.get("/healthz")) == 200);
    REQUIRE(etcd.start());
    REQUIRE(comes_true([&] { return held_by(etcd) == std::string(kEndpoint) + '\n'; }));

    // It lost everything: the next renewal finds no lease.
    etcd.kill();
    etcd.forget_all();
    REQUIRE(etcd.start());
    REQUIRE(comes_true([&] { return held_by(etcd) == std::string(kEndpoint) + '\n'; }));
    // One that hangs does not hold up the end.
    etcd.signal(SIGSTOP);
    const auto end = served.stop();
    CHECK(end.exit_code == 0);
    CHECK(contains(end.err, "the registry was not told of the end"));
    etcd.signal(SIGCONT);
  }

  TEST_CASE("etcd may speak TLS and want a certificate") {
    const Authority authority;
    REQUIRE((authority.vouch_for("etcd") && authority.vouch_for("belay")));
    EtcdServer etcd(&authority);
    REQUIRE(etcd.start());
    auto words = registered_at("etcds://" + etcd.place() + "/belay");
    words.insert(words.end(), {"--hook-ca-file", authority.ca()});
    Served unknown(words);
    REQUIRE(unknown.process().wait_for_output("belay tries again"));
    CHECK(held_by(etcd).empty());
    words.insert(words.end(), {"--hook-client-cert", authority.cert("belay"), "--hook-client-key",
                               authority.key("belay")});
    Served served(words);
    REQUIRE(served.process().wait_for_output("  registered"));
    CHECK(held_by(etcd) == std::string(kEndpoint) + '\n');
    CHECK(served.stop().exit_code == 0);
    CHECK(held_by(etcd).empty());
  }

  TEST_CASE("a user may be needed") {
    EtcdServer etcd;
    REQUIRE(etcd.start());
    etcd.control({"user", "add", "root:right"});
    etcd.control({"user", "grant-role", "root", "root"});
    etcd.control({"auth", "enable"});
    Served wrong(registered_at("etcd://root:wrong@" + etcd.place() + "/belay"));
    REQUIRE(wrong.process().wait_for_output("belay tries again"));
    CHECK_FALSE(contains(wrong.stop().err, "wrong@"));
    Served served(registered_at("etcd://root:right@" + etcd.place() + "/belay"));
    REQUIRE(served.process().wait_for_output("  registered"));
    CHECK(etcd.control({"--user", "root:right", "get", "belay/", "--prefix",
                        "--print-value-only"}) == std::string(kEndpoint) + '\n');
    CHECK(served.stop().exit_code == 0);
  }

  TEST_CASE("a server is in Consul, passes its check, and comes back when the agent forgot it") {
    ConsulStandIn consul;
    Served served(registered_at("consul://:word@" + consul.place() + "/belay"));
    REQUIRE(served.process().wait_for_output("  registered"));
    const auto registered = consul.registered();
    REQUIRE(registered.count("belay-10.0.0.1-36789") == 1);
    const auto& body = registered.at("belay-10.0.0.1-36789");
    CHECK(contains(body, R"("Name":"belay")"));
    CHECK(contains(body, R"("Address":"10.0.0.1")"));
    CHECK(contains(body, R"("Port":36789)"));
    CHECK(contains(body, R"("TTL":"15s")"));
    CHECK(consul.passes() == 1);
    CHECK(consul.requests().front().header("X-Consul-Token") == "word");
    consul.set_mood(ConsulStandIn::Mood::broken);
    REQUIRE(served.process().wait_for_output("belay tries again"));
    consul.forget();
    consul.set_mood(ConsulStandIn::Mood::sound);
    REQUIRE(comes_true([&] { return consul.registered().size() == 1 && consul.passes() == 2; }));
    CHECK(served.stop().exit_code == 0);
    CHECK(consul.registered().empty());
  }

  TEST_CASE("what cannot be a registry or an endpoint is refused") {
    CHECK(contains(refusal_of({"--register", "etcd://h:1/k"}), "go together"));
    CHECK(contains(refusal_of({"--register-endpoint", "h:1"}), "go together"));
    CHECK(contains(refusal_of(registered_at("etcd://h:1/k/more")), "something follows the name"));
    CHECK(
        contains(refusal_of(registered_at("dns:///h:1")), "none of etcd://, etcds://, consul://"));
    CHECK(contains(refusal_of({"--register", "etcd://h:1/k", "--register-endpoint", "http://h"}),
                   "the endpoint"));
  }
}

}  // namespace belay::test
