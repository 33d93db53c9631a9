// Names in DNS, from a name server that says what the test says.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "names/dns_question.h"
#include "support/dns_server.h"
#include "unit/names/names_site.h"

namespace belay::test {
namespace {

using Kind = DnsReply::Kind;

std::string addresses_of(const DnsServer& server) {
  return "http+dns://" + server.place() + "/stock.test:80/take";
}
std::string services_of(const DnsServer& server) {
  return "http+dns+srv://" + server.place() + "/_stock._tcp.test/take";
}

}  // namespace

TEST_SUITE("names/dns") {
  TEST_CASE("all addresses are endpoints, and are asked for again when their TTL is over") {
    DnsServer server;
    server.say({.records = {address_record("10.0.0.2", 1), address_record("10.0.0.1", 77)}});
    NamesSite site;
    const auto target = addresses_of(server);
    REQUIRE(site.gets(target, "10.0.0.1:80 10.0.0.2:80"));
    server.say({.records = {address_record("10.0.0.3", 1)}});
    REQUIRE(site.gets(target, "10.0.0.3:80"));
    server.say({.kind = Kind::no_such_name});
    REQUIRE(site.gets(target, "nothing"));
    CHECK_FALSE(site.is_stale());
  }

  TEST_CASE("a long TTL is kept, so nobody is asked again soon") {
    DnsServer server;
    server.say({.records = {address_record("10.0.0.1", 100'000)}});
    NamesSite site;
    REQUIRE(site.gets(addresses_of(server), "10.0.0.1:80"));
    const auto asked = server.asked();
    DnsServer other;  // its short TTL passes meanwhile
    other.say({.records = {address_record("10.0.0.2", 1)}});
    REQUIRE(site.gets(addresses_of(other), "10.0.0.2:80"));
    REQUIRE(site.run_until([&] { return other.asked() >= 6; }));
    CHECK(server.asked() == asked);
  }

  TEST_CASE("SRV records give hosts, ports, weights and priorities") {
    DnsServer server;
    server.say({.records = {srv_record(2, 5, 81, "b.test", 1), srv_record(1, 0, 80, "a.test", 9)}});
    NamesSite site;
    const auto target = services_of(server);
    REQUIRE(site.gets(target, "a.test:80 b.test:81"));
    const auto name = names::parse_name(target)->name;
    const auto looked = site.names().look_up(name, {});
    REQUIRE(looked.service != nullptr);
    CHECK(looked.service->endpoints() ==
          std::vector<Endpoint>{{.host = "a.test", .port = 80, .weight = 1, .priority = 1},
                                {.host = "b.test", .port = 81, .weight = 5, .priority = 2}});
    server.say({.records = {srv_record(0, 0, 0, "", 1)}});  // decidedly not available
    REQUIRE(site.gets(target, "nothing"));
  }

  TEST_CASE("silence, garbage and refusals leave the last list") {
    for (const auto kind : {Kind::silence, Kind::garbage, Kind::cut_off, Kind::broken}) {
      CAPTURE(static_cast<int>(kind));
      DnsServer server;
      const std::vector<DnsRecord> records = {srv_record(1, 1, 80, "a.test", 1),
                                              address_record("10.0.0.1", 1)};
      server.say({.records = records});
      NamesSite site;
      REQUIRE(site.gets(addresses_of(server), "10.0.0.1:80"));
      REQUIRE(site.gets(services_of(server), "a.test:80"));
      server.say({.kind = kind, .records = records});
      const auto all_stale = [&] {
        const auto figures = site.names().figures();
        return figures.at(0).stale_for > Millis(0) && figures.at(1).stale_for > Millis(0);
      };
      REQUIRE(site.run_until(all_stale));
      CHECK(site.look_up(addresses_of(server)) == "10.0.0.1:80");
      CHECK(site.look_up(services_of(server)) == "a.test:80");
      server.say({.records = {srv_record(1, 1, 90, "a.test", 1), address_record("10.0.0.9", 1)}});
      REQUIRE(site.gets(addresses_of(server), "10.0.0.9:80"));
      REQUIRE(site.gets(services_of(server), "a.test:90"));
    }
  }

  TEST_CASE("an address is its own endpoint, and a question under way can be left") {
    DnsServer server;
    server.say({.kind = Kind::silence});
    NamesSite site;
    REQUIRE(site.gets("http+dns:///127.0.0.1:80/", "127.0.0.1:80"));
    CHECK(site.look_up(addresses_of(server)) == "waits");
    CHECK(site.look_up(services_of(server)) == "waits");
    REQUIRE(site.run_until([&] { return server.asked() >= 2; }));
  }

  TEST_CASE("the lowest TTL of a message is found, or that the message is cut off") {
    const std::string whole(
        "\0\1\x81\x80\0\1\0\2\0\0\0\0\1a\0\0\1\0\1"
        "\xc0\x0c\0\1\0\1\0\0\1\2\0\4abcd"
        "\xc0\x0c\0\1\0\1\0\0\0\7\0\4abcd",
        19 + 16 + 16);
    const auto least = [](const std::string& text) {
      return names::least_dns_ttl(reinterpret_cast<const unsigned char*>(text.data()),
                                  static_cast<int>(text.size()));
    };
    CHECK(least(whole) == 7);
    for (std::size_t size = 0; size < whole.size(); ++size)
      CHECK_FALSE(least(whole.substr(0, size)).has_value());
  }
}

}  // namespace belay::test
