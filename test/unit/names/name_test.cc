#include "names/name.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace belay::test {
namespace {

using names::Source;

names::Target read(std::string_view target) {
  CAPTURE(target);
  auto parsed = names::parse_name(target);
  REQUIRE_MESSAGE(parsed.has_value(), (parsed ? "" : parsed.error().detail));
  return *parsed;
}

std::string wrong(std::string_view target) {
  const auto parsed = names::parse_name(target);
  if (parsed) return "nothing";
  CHECK(parsed.error().code == ErrorCode::invalid_argument);
  const auto& text = parsed.error().detail;
  return text.substr(text.find("looked up: ") + 11);
}

}  // namespace

TEST_SUITE("names/name") {
  TEST_CASE("a target is a name if its scheme says no address") {
    for (const auto* name : {"etcd://h:1/k/p.S/M", "http+consul://h:1/n/", "HTTPS+dns:///h:1/",
                             "grpc+etcd://", "mine://x", "jsonrpc+http+mine://x", "ftp://x"})
      CHECK_MESSAGE(names::is_name(name), name);
    for (const auto* address : {"http://h/", "https://h/", "jsonrpc+http://h/", "grpc://h:1/p.S/M",
                                "grpcs://h:1/p.S/M", "handler", "a:b", ""})
      CHECK_FALSE_MESSAGE(names::is_name(address), address);
  }

  TEST_CASE("a target as dtm's drivers write it is gRPC's") {
    const auto target = read("etcd://a:2379,[::1]:2380/stock.rpc/pkg.Stock/Take");
    CHECK(target.prefix == "grpc");
    CHECK(target.name.source == Source::etcd);
    CHECK(target.name.places == std::vector<names::Place>{{"a", 2379}, {"::1", 2380}});
    CHECK(target.name.name == "stock.rpc");
    CHECK(target.name.protocol == "grpc");
    CHECK(target.rest == "/pkg.Stock/Take");
    CHECK(target.at({.host = "10.0.0.1", .port = 9}) == "grpc://10.0.0.1:9/pkg.Stock/Take");
    CHECK(target.at({.host = "fe::1", .port = 9}) == "grpc://[fe::1]:9/pkg.Stock/Take");

    for (const auto* same : {"discov://a:2379,[::1]:2380/stock.rpc/pkg.Stock/Take",
                             "grpc+etcd://a:2379,[::1]:2380/stock.rpc/pkg.Stock/Take",
                             "ETCD://a:2379,[::1]:2380/stock%2erpc/pkg.Stock/Take"})
      CHECK(read(same).name.identity == target.name.identity);

    const auto driven = read("etcd://h:1/k/p.S/M?user=u&password=p%26");
    CHECK(driven.name.user == "u");
    CHECK(driven.name.password == "p&");
    CHECK(driven.rest == "/p.S/M");
    CHECK(driven.name.shown() == "etcd://h:1/k");
  }

  TEST_CASE("a registry alone is read for who registers in it") {
    CHECK(names::parse_registry("etcd://u:p@h:1/k")->user == "u");
    CHECK(names::parse_registry("etcds://u:p@h:1/k")->origin({"::1", 2}) == "https://[::1]:2");
    CHECK(names::parse_registry("CONSULS://h:1/n")->origin({"h", 1}) == "https://h:1");
    CHECK(names::parse_registry("consul://h:1/n")->origin({"h", 1}) == "http://h:1");
    CHECK(names::parse_registry("consul://h:1/n?token=t")->password == "t");
    for (const auto* wrong : {"etcd://h:1", "etcd://h:1/k/", "etcd://h:1/k/p.S/M", "dns:///h:1",
                              "mine://x", "http+etcd://h:1/k/x", "h:1"})
      CHECK_FALSE_MESSAGE(names::parse_registry(wrong).has_value(), wrong);
  }

  TEST_CASE("a prefix says how an endpoint is called, and the query is then the service's") {
    const auto target = read("http+etcd://u:p@h:1/dtm%2Fstock/take/it?a=b&user=c");
    CHECK(target.name.name == "dtm/stock");
    CHECK(target.name.user == "u");
    CHECK(target.name.protocol == "http");
    CHECK(target.at({.host = "s", .port = 80}) == "http://s:80/take/it?a=b&user=c");
    CHECK(read("https+consul://h:1/n").at({.host = "s", .port = 80}) == "https://s:80");
    CHECK(read("https+consul://h:1/n?a").at({.host = "s", .port = 80}) == "https://s:80?a");

    const auto json_rpc = read("jsonrpc+https+consul://:t@h:1/n/?method=m");
    CHECK(json_rpc.prefix == "jsonrpc+https");
    CHECK(json_rpc.name.protocol == "https");
    CHECK(json_rpc.name.password == "t");
    CHECK(json_rpc.rest == "/?method=m");
  }

  TEST_CASE("consul, DNS and own resolvers have their forms") {
    const auto consul = read("consul://h:8500/stock/p.S/M?wait=5s&dc=east&tag=v%201&token=t");
    CHECK(consul.name.source == Source::consul);
    CHECK(consul.name.wait_s == 5);
    CHECK(consul.name.dc == "east");
    CHECK(consul.name.tag == "v 1");
    CHECK(consul.name.password == "t");

    const auto dns = read("http+dns:///stock.example:8080/take");
    CHECK(dns.name.source == Source::dns);
    CHECK(dns.name.places.empty());
    CHECK(dns.name.name == "stock.example");
    CHECK(dns.name.port == 8080);
    const auto srv = read("dns+srv://127.0.0.1:53/_stock._tcp.example/p.S/M");
    CHECK(srv.name.source == Source::dns_srv);
    CHECK(srv.name.places == std::vector<names::Place>{{"127.0.0.1", 53}});
    CHECK(srv.name.name == "_stock._tcp.example");

    CHECK(read("discovery:///stock/p.S/M").name.name == "stock");
    CHECK(read("polaris://stock/p.S/M").name.identity ==
          read("polaris:///stock/p.S/N").name.identity);
    const auto own = read("http+mine://stock/a/b?c");
    CHECK(own.name.source == Source::own);
    CHECK(own.name.scheme == "mine");
    CHECK(own.rest == "/a/b?c");
  }

  TEST_CASE("what is malformed is refused with the part that is wrong") {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"handler", "it names no source of endpoints"},
        {"http://h/", "it names no source of endpoints"},
        {"http+://h/", "it names no source of endpoints"},
        {"a b://h/", "it names no source of endpoints"},
        {"etcd://h:1/k /p.S/M", "it has a blank or a control character"},
        {"etcd://h:1/k/p.S/M\n", "it has a blank or a control character"},
        {"etcd:///k/p.S/M", "where it is asked, '', is not HOST:PORT"},
        {"etcd://h/k/p.S/M", "where it is asked, 'h', is not HOST:PORT"},
        {"etcd://h:0/k/p.S/M", "where it is asked, 'h:0', has a port that is not 1 to 65535"},
        {"etcd://h:1,/k/p.S/M", "where it is asked, '', is not HOST:PORT"},
        {"etcd://::1:1/k/p.S/M", "where it is asked, '::1:1', has no host"},
        {"etcd://[h]:1/k/p.S/M", "where it is asked, '[h]:1', has no host"},
        {"consul://a:1,b:1/k/p.S/M", "it has more than 1 places where it is asked"},
        {"etcd://u@h:1/k/p.S/M", "its user has no password"},
        {"etcd://:p@h:1/k/p.S/M", "its user is empty"},
        {"consul://u:p@h:1/k/p.S/M", "consul has no users: its token is written :TOKEN@"},
        {"dns://u:p@/h:1/p.S/M", "only etcd and consul take a user"},
        {"etcd://h:1", "it has no name"},
        {"etcd://h:1//p.S/M", "it has no name"},
        {"etcd://h:1/%/p.S/M", "its name has a percent sign that begins no %XX"},
        {"etcd://h:1/%0a/p.S/M", "its name has a control character"},
        {"etcd://h:1/k", "what follows the name is not /package.Service/Method"},
        {"etcd://h:1/k/p.S", "what follows the name is not /package.Service/Method"},
        {"etcd://h:1/k/p.S/M/N", "what follows the name is not /package.Service/Method"},
        {"etcd://h:1/k/p.S/M?wait=5s", "its source has no parameter 'wait'"},
        {"etcd://h:1/k/p.S/M?user", "its query has a parameter without a value"},
        {"etcd://h:1/k/p.S/M?user=u", "it has a user without a password, or the other way round"},
        {"consul://h:1/k/p.S/M?wait=0s", "its wait is not 1s to 600s"},
        {"consul://h:1/k/p.S/M?wait=601", "its wait is not 1s to 600s"},
        {"http+etcd://h:1/k/a#b", "it has a fragment"},
        {"dns:///h/p.S/M", "its name, 'h', is not HOST:PORT"},
        {"dns://name:53/h:1/p.S/M", "its name server is no IP address"},
        {"dns+srv:///a:1/p.S/M", "its name is no host's name"},
        {"mine://", "it has no name"},
        {"etcd://h:1/" + std::string(9000, 'k') + "/p.S/M", "it is longer than 8192 bytes"},
    };
    for (const auto& row : rows) CHECK_MESSAGE(wrong(row.first) == row.second, row.first);
  }

  TEST_CASE("no error shows a password, and each part is part of the identity") {
    const auto refused = names::parse_name("etcd://u:word@h:1/k?password=other");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find("word@") == std::string::npos);
    CHECK(refused.error().detail.find("other") == std::string::npos);
    const auto plain = read("consul://h:1/n/p.S/M").name.identity;
    for (const auto* other :
         {"consul://h:2/n/p.S/M", "consul://h:1/m/p.S/M", "consul://h:1/n/p.S/M?tag=a",
          "consul://h:1/n/p.S/M?dc=a", "consul://h:1/n/p.S/M?token=a",
          "consul://h:1/n/p.S/M?wait=9s", "grpcs+consul://h:1/n/p.S/M"})
      CHECK(read(other).name.identity != plain);
  }
}

}  // namespace belay::test
