// Names in a real etcd: what is registered in it is what is called, whatever happens to it.
#include <doctest/doctest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "support/etcd_server.h"
#include "support/http_peer.h"
#include "unit/names/names_site.h"

namespace belay::test {
namespace {

struct Etcd : EtcdServer {
  Etcd() { REQUIRE(start()); }
  std::string target(const std::string& key = "stock") const {
    return "etcd://" + place() + "/" + key + "/pkg.Stock/Take";
  }
};

}  // namespace

TEST_SUITE("names/etcd") {
  TEST_CASE("keys that come, change and go are seen") {
    Etcd etcd;
    etcd.put("stock/1", "10.0.0.1:80");
    etcd.put("stocks/1", "10.0.0.9:80");
    etcd.put("stock", "10.0.0.9:80");
    NamesSite site;
    CHECK(site.look_up(etcd.target()) == "waits");
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80"));
    REQUIRE(site.run_until([&] { return !site.told().empty(); }));
    CHECK(site.told().front() == "10.0.0.1:80");
    etcd.put("stock/2", "[::1]:90");
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80 [::1]:90"));
    etcd.put("stock/1", "10.0.0.3:80");
    REQUIRE(site.gets(etcd.target(), "10.0.0.3:80 [::1]:90"));
    etcd.control({"del", "stock/", "--prefix"});
    REQUIRE(site.gets(etcd.target(), "nothing"));
    CHECK_FALSE(site.is_stale());
    CHECK(site.look_up(etcd.target("other")) == "waits");
    REQUIRE(site.gets(etcd.target("other"), "nothing"));
  }

  TEST_CASE("over TLS both sides show who they are") {
    const Authority authority, stranger;
    REQUIRE((authority.vouch_for("etcd") && authority.vouch_for("belay")));
    EtcdServer etcd(&authority);
    REQUIRE(etcd.start());
    etcd.put("stock/1", "10.0.0.1:80");
    const auto target = "etcds://" + etcd.place() + "/stock/pkg.Stock/Take";
    HookOptions known;
    known.ca_file = authority.ca();
    known.client_cert_file = authority.cert("belay");
    known.client_key_file = authority.key("belay");
    NamesSite site({}, {}, known);
    REQUIRE(site.gets(target, "10.0.0.1:80"));
    etcd.put("stock/2", "10.0.0.2:80");  // the watch goes on over the same connection
    REQUIRE(site.gets(target, "10.0.0.1:80 10.0.0.2:80"));

    auto no_certificate = known;
    no_certificate.client_cert_file = no_certificate.client_key_file = "";
    auto other_authority = known;
    other_authority.ca_file = stranger.ca();
    for (const auto& options : {no_certificate, other_authority}) {
      NamesSite refused({}, {}, options);
      CHECK(refused.look_up(target) == "waits");
      CHECK(refused.run_until([&] { return !refused.figures().last_error.empty(); }));
      CHECK_FALSE(refused.figures().known);
      CHECK(refused.figures().name == "etcds://" + etcd.place() + "/stock");
    }
    NamesSite clear({}, {}, known);  // http is not what this etcd speaks
    CHECK(clear.look_up(target.substr(0, 4) + target.substr(5)) == "waits");
    CHECK(clear.run_until([&] { return !clear.figures().last_error.empty(); }));
  }

  TEST_CASE("what a lease held is gone with the lease") {
    Etcd etcd;
    const auto granted = etcd.control({"lease", "grant", "2"});
    const auto lease = granted.substr(6, granted.find(' ', 6) - 6);
    etcd.control({"put", "--lease=" + lease, "stock/" + lease, "10.0.0.1:80"});
    NamesSite site;
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80"));
    REQUIRE(site.gets(etcd.target(), "nothing"));
  }

  TEST_CASE("kratos's values give the endpoints of the target's protocol, garbage is ignored") {
    Etcd etcd;
    etcd.put("stock/a", R"({"id":"a","metadata":{"x":[1]},"endpoints":)"
                        R"(["http://10.0.0.1:80","grpc://10.0.0.1:90?isSecure=false"]})");
    etcd.put("stock/b", R"({"endpoints":["grpc://10.0.0.2:90?isSecure=true"]})");
    etcd.put("stock/c", R"({"endpoints":["grpc://10.0.0.3:90"])");  // cut off
    etcd.put("stock/d", "garbage");
    etcd.put("stock/e", std::string(100'000, '\x01'));  // one watch line is not that long
    etcd.put("stock/f", "10.0.0.6:70");
    NamesSite site;
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:90 10.0.0.6:70"));
    REQUIRE(site.gets("http+" + etcd.target(), "10.0.0.1:80 10.0.0.6:70"));
    REQUIRE(site.gets("grpcs+" + etcd.target(), "10.0.0.2:90 10.0.0.6:70"));
    CHECK(site.lines_with("3 entries are ignored") == 3);
    etcd.put("stock/g", std::string(100'000, '\x01'));
    etcd.put("stock/h", "10.0.0.7:70");
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:90 10.0.0.6:70 10.0.0.7:70"));
  }

  TEST_CASE("an etcd that is killed leaves the last list, and is watched again when it is back") {
    Etcd etcd;
    etcd.put("stock/1", "10.0.0.1:80");
    NamesSite site;
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80"));
    etcd.kill();
    REQUIRE(site.run_until([&] { return site.is_stale(); }));
    CHECK(site.look_up(etcd.target()) == "10.0.0.1:80");
    CHECK(site.figures().last_error.starts_with(etcd.place() + ": "));
    REQUIRE(etcd.start());
    REQUIRE(site.run_until([&] { return !site.is_stale(); }));
    CHECK(site.look_up(etcd.target()) == "10.0.0.1:80");
    etcd.put("stock/2", "10.0.0.2:80");
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80 10.0.0.2:80"));
  }

  TEST_CASE("an etcd that hangs is noticed, and what changed meanwhile is seen afterwards") {
    Etcd etcd;
    etcd.put("stock/1", "10.0.0.1:80");
    NamesSite site;
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80"));
    etcd.signal(SIGSTOP);
    REQUIRE(site.run_until([&] { return site.is_stale(); }));
    CHECK(site.look_up(etcd.target()) == "10.0.0.1:80");
    etcd.signal(SIGCONT);
    etcd.put("stock/2", "10.0.0.2:80");
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80 10.0.0.2:80"));
    CHECK_FALSE(site.is_stale());
  }

  TEST_CASE("a history that was compacted during an absence is no obstacle") {
    Etcd etcd;
    etcd.put("stock/1", "10.0.0.1:80");
    NamesSite site;
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80"));
    etcd.signal(SIGSTOP);
    etcd.signal(SIGCONT);
    etcd.kill();
    REQUIRE(site.run_until([&] { return site.is_stale(); }));
    REQUIRE(etcd.start());
    for (int i = 0; i < 5; ++i) etcd.put("stock/1", "10.0.0." + std::to_string(i) + ":80");
    etcd.control({"compact", "6"});
    REQUIRE(site.gets(etcd.target(), "10.0.0.4:80"));
    etcd.put("stock/1", "10.0.0.9:80");
    REQUIRE(site.gets(etcd.target(), "10.0.0.9:80"));
  }

  TEST_CASE("an etcd that lost its data counts anew, and is believed") {
    Etcd etcd;
    for (int i = 0; i < 5; ++i) etcd.put("stock/1", "10.0.0.1:80");
    NamesSite site;
    REQUIRE(site.gets(etcd.target(), "10.0.0.1:80"));
    etcd.kill();
    etcd.forget_all();
    REQUIRE(etcd.start());
    REQUIRE(site.gets(etcd.target(), "nothing"));
    etcd.put("stock/1", "10.0.0.2:80");
    REQUIRE(site.gets(etcd.target(), "10.0.0.2:80"));
  }

  TEST_CASE("of several hosts the next one is asked, and only all of them are a failure") {
    Etcd etcd;
    etcd.put("stock/1", "10.0.0.1:80");
    const auto nobody = "127.0.0.1:" + std::to_string(free_port());
    NamesSite site;
    REQUIRE(site.gets("etcd://" + nobody + "," + etcd.place() + "/stock/p.S/M", "10.0.0.1:80"));
    CHECK(site.lines_with("cannot be asked") == 0);
    NamesSite alone;
    CHECK(alone.look_up("etcd://" + nobody + "/stock/p.S/M") == "waits");
    REQUIRE(alone.run_until([&] { return !alone.told().empty(); }));
    CHECK(alone.told().front().starts_with("failed: " + nobody));
  }

  TEST_CASE("a user's password is asked for, and a wrong one is told without being shown") {
    Etcd etcd;
    etcd.put("stock/1", "10.0.0.1:80");
    const auto with = [&](const std::string& word) {
      return etcd.target() + "?user=root&password=" + word;
    };
    NamesSite before;
    REQUIRE(before.gets(with("right"), "10.0.0.1:80"));  // etcd asks for none yet
    etcd.control({"user", "add", "root:right"});
    etcd.control({"user", "grant-role", "root", "root"});
    etcd.control({"auth", "enable"});
    NamesSite site;
    REQUIRE(site.gets(with("right"), "10.0.0.1:80"));
    etcd.control({"--user", "root:right", "put", "stock/2", "10.0.0.2:80"});
    REQUIRE(site.gets(with("right"), "10.0.0.1:80 10.0.0.2:80"));
    for (const auto& target : {with("wrong"), etcd.target()}) {
      NamesSite stranger;
      CHECK(stranger.look_up(target) == "waits");
      REQUIRE(stranger.run_until([&] { return !stranger.told().empty(); }));
      CHECK(stranger.told().front().find("HTTP 400") != std::string::npos);
      CHECK(stranger.lines_with("wrong") == 0);
    }
  }

  TEST_CASE("a word may stand for a registry, as kratos's discovery does") {
    Etcd etcd;
    etcd.put("/microservices/stock/1", R"({"endpoints":["grpc://10.0.0.1:90","http://h:80"]})");
    etcd.put("/microservices/stocks/1", R"({"endpoints":["grpc://10.0.0.2:90"]})");
    NamesSite site({}, {{"discovery", "etcd://" + etcd.place() + "/%2Fmicroservices%2F{}"}});
    CHECK(site.names().check("discovery:///stock/pkg.Stock/Take").has_value());
    REQUIRE(site.gets("discovery:///stock/pkg.Stock/Take", "10.0.0.1:90"));
    REQUIRE(site.gets("http+discovery:///stock/take", "h:80"));
    CHECK(site.figures().name == "discovery:///stock");
    CHECK(site.figures().source == "discovery");
  }

  TEST_CASE("a list of thousands gives as many as there may be") {
    Etcd etcd;
    for (int chunk = 0; chunk < 20; ++chunk) {
      std::string puts = "\n";  // no comparisons
      for (int i = 0; i < 100; ++i) {
        const auto number = std::to_string(10'000 + chunk * 100 + i);
        puts += "put stock/" + number + " 10.0.0.1:" + number + "\n";
      }
      const auto done = run({.argv = {"/usr/bin/etcdctl", "--endpoints", etcd.place(), "txn"},
                             .input = puts + "\n\n",
                             .env = {{"ETCDCTL_API", "3"}}});
      REQUIRE_MESSAGE(done.exit_code == 0, done.err);
    }
    NamesSite site;
    site.look_up(etcd.target());
    REQUIRE(site.run_until([&] { return site.figures().endpoints == names::kEndpointsMax; }));
    CHECK(site.lines_with("endpoints are not used") == 1);
    etcd.control({"del", "stock/", "--prefix"});
    REQUIRE(site.gets(etcd.target(), "nothing"));
  }
}

}  // namespace belay::test
