// Goal: no bytes of a caller or a registry do harm, and what is taken is whole.
// Method: samples of every kind, cut at each length, with each bit flipped, and spliced at random.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "names/consul_json.h"
#include "names/dns_question.h"
#include "names/etcd_json.h"
#include "names/name.h"
#include "support/random.h"

namespace belay::test {
namespace {

const std::vector<std::string>& name_samples() {
  static const std::vector<std::string> samples = {
      "etcd://a:2379,[::1]:2380/stock.rpc/pkg.Stock/Take?user=u&password=p%26",
      "http+etcd://u:p@h:1/dtm%2Fstock/take/it?a=b&user=c",
      "jsonrpc+https+consul://:t@h:1/n/?method=m",
      "consul://h:8500/stock/p.S/M?wait=5s&dc=east&tag=v%201&token=t",
      "http+dns:///[::1]:8080/take",
      "http+dns://[::1]:53/stock.example:8080/take",
      "dns+srv://127.0.0.1:53/_stock._tcp.example/p.S/M",
      "https+mine+2://stock/a/b?c",
      "discovery:///stock/p.S/M",
  };
  return samples;
}

const std::vector<std::string>& text_samples() {
  static const std::vector<std::string> samples = {
      R"({"header":{"cluster_id":"1","revision":"7"},"kvs":[{"key":"ay8x","mod_revision":"6",)"
      R"("value":"eA=="}],"more":true,"count":"1"})",
      R"({"result":{"header":{"revision":"3"},"events":[{"type":"DELETE","kv":{"key":"ay8x",)"
      R"("mod_revision":"3"}},{"kv":{"key":"ay8y","mod_revision":"4","value":""}}]}})",
      R"({"result":{"header":{},"canceled":true,"compact_revision":"3","cancel_reason":"x"}})",
      R"({"id":"a","endpoints":["grpc://10.0.0.1:9000?isSecure=false","http://[::1]:80/"],"x":[]})",
      "10.0.0.1:9000",
      R"([{"Node":{"Address":"n"},"Service":{"Address":"","Port":1,"Weights":{"Passing":10}},)"
      R"("Checks":[{}]}])",
      std::string("\0\1\x81\x80\0\1\0\2\0\0\0\0\1a\0\0\1\0\1\xc0\x0c\0\1\0\1\0\0\1\2\0\4abcd"
                  "\xc0\x0c\0\1\0\1\0\0\0\7\0\4abcd",
                  51),
  };
  return samples;
}

// A target that is read is whole, and what is shown of its name names the same.
bool check_target(const std::string& input) {
  const auto target = names::parse_name(input);
  if (!target) return false;
  CAPTURE(input);
  const auto& name = target->name;
  CHECK(names::is_name(input));
  CHECK_FALSE(name.name.empty());
  CHECK((target->rest.empty() || target->rest[0] == '/' || target->rest[0] == '?'));
  for (const auto& place : name.places) CHECK((names::is_host(place.host) && place.port != 0));
  const auto again = names::parse_name(target->prefix + '+' + name.shown() + target->rest);
  REQUIRE_MESSAGE(again.has_value(), (again ? "" : again.error().detail));
  CHECK(again->name.shown() == name.shown());
  CHECK(again->name.name == name.name);
  CHECK(again->rest == target->rest);
  return true;
}

bool check_text(const std::string& input) {
  CAPTURE(input);
  bool read = names::read_etcd_range(input).has_value();
  read = names::read_etcd_news(input).has_value() || read;
  read = names::read_etcd_token(input).has_value() || read;
  read = names::read_consul_health(input).has_value() || read;
  read = names::least_dns_ttl(reinterpret_cast<const unsigned char*>(input.data()),
                              static_cast<int>(input.size()))
             .has_value() ||
         read;
  const auto registered = names::read_registered(input, "grpc");
  if (!registered) return read;
  for (const auto& endpoint : *registered)
    CHECK((names::is_host(endpoint.host) && endpoint.port != 0));
  return true;
}

// How many of the mangled samples were read all the same.
std::size_t mangle(const std::vector<std::string>& samples,
                   const std::function<bool(const std::string&)>& check) {
  std::size_t read = 0;
  for (const auto& sample : samples) {
    for (std::size_t size = 0; size <= sample.size(); ++size) read += check(sample.substr(0, size));
    auto bytes = sample;
    for (auto& byte : bytes) {
      for (int bit = 0; bit < 8; ++bit) {
        const char was = byte;
        byte = static_cast<char>(byte ^ (1 << bit));
        read += check(bytes);
        byte = was;
      }
    }
  }
  Random random(20'261'201);
  for (int i = 0; i < 20'000; ++i) {
    const auto& a = random.one_of(samples);
    const auto& b = random.one_of(samples);
    auto bytes = a.substr(0, 1 + random.below(a.size()));
    bytes += b.substr(random.below(b.size()));
    if (random.below(2) == 0)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    read += check(bytes);
  }
  return read;
}

}  // namespace

TEST_SUITE("names/bytes") {
  TEST_CASE("a target that is read is whole, and what is shown of it names the same") {
    for (const auto& sample : name_samples()) CHECK(check_target(sample));
    CHECK(mangle(name_samples(), check_target) > 1'000);
  }

  TEST_CASE("no answer of a registry does harm") {
    for (const auto& sample : text_samples()) CHECK(check_text(sample));
    CHECK(mangle(text_samples(), check_text) > 1'000);
  }
}

}  // namespace belay::test
