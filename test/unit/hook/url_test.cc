// Targets: what is a URL, which host it leads to, and who may be called.
#include "hook/url.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>
#include <vector>

#include "hook/address.h"
#include "hook/allow.h"

namespace belay::test {
namespace {

std::string host_of(std::string_view target) {
  const auto made = hook::make_target(target);
  return made ? made->host : made.error().detail;
}

std::string url_of(std::string_view target) {
  const auto made = hook::make_target(target);
  return made ? made->url : made.error().detail;
}

bool allows(const std::vector<std::string>& patterns, std::string_view target) {
  const auto list = hook::AllowList::make(patterns);
  const auto url = hook::parse_url(target);
  REQUIRE(list);
  REQUIRE(url);
  return list->allows(*url);
}

bool is_link_local(const char* text) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
    return hook::is_link_local(reinterpret_cast<const sockaddr&>(v6));
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  REQUIRE(inet_pton(AF_INET, text, &v4.sin_addr) == 1);
  return hook::is_link_local(reinterpret_cast<const sockaddr&>(v4));
}

}  // namespace

TEST_SUITE("hook/url") {
  TEST_CASE("a target is a URL if it has a scheme, and a known one says how it is called") {
    using hook::Protocol;
    for (const auto* target : {"http://a", "https://a", "http+etcd://h:1/s/a", "ftp://a"})
      CHECK(hook::is_url(target));
    for (const auto* target : {"", "http", "http:/a", "topic://a", "h:1/a.B/C"})
      CHECK_FALSE(hook::is_url(target));
    CHECK(hook::protocol_of("HTTPS://a") == Protocol::http);
    CHECK(hook::protocol_of("JsonRPC+HTTPS://a") == Protocol::json_rpc);
    CHECK(hook::protocol_of("grpcs://a") == Protocol::grpc);
    CHECK(hook::protocol_of("http+etcd://h:1/s/a") == Protocol::http);
    CHECK(hook::protocol_of("etcd://h:1/s/a.B/C") == Protocol::grpc);
    for (const auto* target : {"", "http:/a", "topic://a", "etcd://h/s/a.B/C", "name"})
      CHECK_FALSE(hook::protocol_of(target));
  }

  TEST_CASE("one host is one host however it is written") {
    CHECK(host_of("http://Stock.Example/a") == "http://stock.example");
    CHECK(host_of("HTTP://stock.example:80/b?c#d") == "http://stock.example");
    CHECK(host_of("http://user:secret@stock.example") == "http://stock.example");
    CHECK(host_of("jsonrpc+http://stock.example?method=m") == "http://stock.example");
    CHECK(host_of("https://stock.example:443") == "https://stock.example");
    CHECK(host_of("https://stock.example:80") == "https://stock.example:80");
    CHECK(host_of("http://[FE80::1]:8080/x") == "http://[fe80::1]:8080");
    CHECK(host_of("http://stock.example?x=http://other") == "http://stock.example");
  }

  TEST_CASE("what a URL says stays as it is, save for what cannot be sent") {
    CHECK(url_of("http://a") == "http://a/?");
    CHECK(url_of("http://a/b/../c%2f;d") == "http://a/b/../c%2f;d?");
    CHECK(url_of("http://a/b?") == "http://a/b?");
    CHECK(url_of("http://a/b?x=%20+&y") == "http://a/b?x=%20+&y&");
    CHECK(url_of("HTTPS://A:8/b#fragment") == "https://A:8/b?");
    CHECK(url_of("http://a/b c?d=\xc3\xa4") == "http://a/b%20c?d=%C3%A4&");
    CHECK(url_of("http://a?x=1") == "http://a/?x=1&");
    CHECK(url_of("jsonrpc+http://a/rpc?x=1&method=book") == "http://a/rpc?x=1&method=book");
  }

  TEST_CASE("a URL that could be read in two ways is refused") {
    for (const auto* target :
         {"http://", "http:///x", "http://a b/", "http://a\\@b/", "http://a@b@c/", "http://a:0/",
          "http://a:65536/", "http://a:/", "http://a:8x/", "http://[::1/", "http://[::1]x/",
          "http://[evil.example]/", "http://a%2eb/", "http://\xc3\xa4/", "http://a/\r\nX: y",
          "http://a/\x7f", "ftp://a", "jsonrpc+http://a/rpc", "jsonrpc+http://a/rpc?methods=x"}) {
      const std::string text(target);
      CAPTURE(text);
      const auto made = hook::make_target(target);
      REQUIRE_FALSE(made);
      CHECK(made.error().code == ErrorCode::invalid_argument);
    }
  }

  TEST_CASE("JSON-RPC's method is the parameter of that name, decoded") {
    CHECK(hook::make_target("jsonrpc+http://a?b=c&method=x%2By+z&d")->method == "x+y z");
    CHECK(hook::make_target("jsonrpc+http://a?method=50%&x")->method == "50%");
  }

  TEST_CASE("same_host compares scheme, host and port") {
    const auto same = [](std::string_view a, std::string_view b) {
      return hook::same_host(*hook::parse_url(a), *hook::parse_url(b));
    };
    CHECK(same("http://a/x", "HTTP://A:80/y"));
    CHECK_FALSE(same("http://a", "https://a:80"));
    CHECK_FALSE(same("http://a", "http://a:81"));
    CHECK_FALSE(same("http://a", "http://b"));
  }
}

TEST_SUITE("hook/allow") {
  TEST_CASE("no pattern allows everything") { CHECK(allows({}, "http://any:1/")); }

  TEST_CASE("a host alone is that host with any scheme and port") {
    CHECK(allows({"stock.example"}, "http://Stock.Example/x"));
    CHECK(allows({"x.example", "Stock.example"}, "jsonrpc+https://stock.example:8443/"));
    CHECK_FALSE(allows({"stock.example"}, "http://a.stock.example/"));
    CHECK_FALSE(allows({"stock.example"}, "http://stock.example.evil/"));
    CHECK_FALSE(allows({"stock.example"}, "http://stock.example@evil/"));
    CHECK_FALSE(allows({"127.0.0.1"}, "http://2130706433/"));
  }

  TEST_CASE("a scheme and a port are demanded if they are named") {
    CHECK(allows({"https://stock.example:8443"}, "https://stock.example:8443/"));
    CHECK_FALSE(allows({"https://stock.example:8443"}, "http://stock.example:8443/"));
    CHECK_FALSE(allows({"https://stock.example:8443"}, "https://stock.example/"));
    CHECK(allows({"https://stock.example"}, "https://stock.example:9/"));
    CHECK(allows({"[::1]:8"}, "http://[::1]:8/"));
    CHECK_FALSE(allows({"[::1]:8"}, "http://[::1]:9/"));
  }

  TEST_CASE("a star is every subdomain, or every host") {
    CHECK(allows({"*.example"}, "http://a.b.Example/"));
    CHECK_FALSE(allows({"*.example"}, "http://example/"));
    CHECK_FALSE(allows({"*.example"}, "http://notexample/"));
    CHECK_FALSE(allows({"*.example"}, "http://.example.evil/"));
    CHECK(allows({"*.example:8"}, "http://a.example:8/"));
    CHECK_FALSE(allows({"*.example:8"}, "http://a.example/"));
    CHECK(allows({"https://*"}, "https://any/"));
    CHECK_FALSE(allows({"https://*"}, "http://any/"));
    CHECK(allows({"*:80"}, "http://any/"));
    CHECK_FALSE(allows({"*:80"}, "http://any:81/"));
  }

  TEST_CASE("a pattern that cannot be read is an error") {
    for (const auto* text : {"", "ftp://a", "https://", "a/b", "a b", "*a", "a.*", "*.", "a:x",
                             "a:0", "*:", "*.a:99999", "user@a", "http://a?b"}) {
      const std::string pattern(text);
      CAPTURE(pattern);
      const auto list = hook::AllowList::make({text});
      REQUIRE_FALSE(list);
      CHECK(list.error().code == ErrorCode::invalid_argument);
    }
  }

  TEST_CASE("link-local and metadata addresses are known in every form") {
    for (const auto* address : {"169.254.0.1",
                                "169.254.169.254",
                                "100.100.100.200",
                                "fe80::1",
                                "febf::1",
                                "fd00:ec2::254",
                                "::ffff:169.254.169.254",
                                "64:ff9b::169.254.169.254",
                                "::169.254.1.1",
                                "192.0.0.192",
                                "168.63.129.16",
                                "fd20:ce::254",
                                "fd00:42::42",
                                "::ffff:0:169.254.1.1",
                                "64:ff9b:1::169.254.169.254",
                                "64:ff9b:1:a9fe:a9:fe00::",
                                "64:ff9b:1:a9:fe:a9fe::",
                                "64:ff9b:1::a9:fea9:fe00:0",
                                "2002:a9fe:a9fe::1",
                                "2001:0:a9fe:a9fe::1",
                                "2001::5601:5601"})
      CHECK_MESSAGE(is_link_local(address), address);
    for (const auto* address : {"127.0.0.1", "169.253.0.1", "10.0.0.1", "::1", "fec0::1",
                                "fd00:ec2::253", "::ffff:10.0.0.1", "2001:db8::a9fe:a9fe",
                                "2002:a00:1::a9fe:a9fe", "2001::a9fe:a9fe", "64:ff9b::10.0.0.1"})
      CHECK_FALSE_MESSAGE(is_link_local(address), address);
  }

  TEST_CASE("a link-local host in a URL is known however it is written") {
    for (const auto* target :
         {"http://169.254.169.254/", "http://2852039166/", "http://0xa9fea9fe/",
          "http://169.254.43518/", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/",
          "http://169.254.169.254./", "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.254.0xa9fe../",
          "http://metadata.google.internal/", "http://Metadata.Google.Internal./",
          "http://metadata.goog/", "http://instance-data.ec2.internal/"})
      CHECK_MESSAGE(hook::is_link_local(hook::parse_url(target)->host), target);
    for (const auto* target : {"http://stock.example/", "http://127.0.0.1/", "http://[::1]/",
                               "http://metadata/", "http://169.254.169.254.example/"})
      CHECK_FALSE_MESSAGE(hook::is_link_local(hook::parse_url(target)->host), target);
    CHECK_FALSE(hook::parse_url("http://[fe80::1%25eth0]/"));
  }
}

}  // namespace belay::test
