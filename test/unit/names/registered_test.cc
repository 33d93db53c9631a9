// What registries say, read whole or not at all.
#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "names/consul_json.h"
#include "names/dns_question.h"
#include "names/etcd_json.h"

namespace belay::test {
namespace {

std::string registered(std::string_view value, std::string_view protocol = "grpc") {
  const auto endpoints = names::read_registered(value, protocol);
  if (!endpoints) return "unreadable";
  std::string text;
  for (const auto& one : *endpoints) text += one.host + ":" + std::to_string(one.port) + " ";
  return text;
}

std::string health(std::string_view text) {
  const auto endpoints = names::read_consul_health(text);
  if (!endpoints) return "unreadable";
  std::string out;
  for (const auto& one : *endpoints)
    out += one.host + ":" + std::to_string(one.port) + "*" + std::to_string(one.weight) + " ";
  return out;
}

}  // namespace

TEST_SUITE("names/registered") {
  TEST_CASE("a value of go-zero or kratos is read, and nothing else") {
    CHECK(registered("10.0.0.1:80") == "10.0.0.1:80 ");
    CHECK(registered("[::1]:80") == "::1:80 ");
    CHECK(registered(R"({"endpoints":["grpc://a:1","http://a:2","grpcs://a:3"]})") == "a:1 ");
    CHECK(registered(R"({"endpoints":["grpc://a:1/?isSecure=true"],"x":{}})", "grpcs") == "a:1 ");
    CHECK(registered(R"({"endpoints":[]})").empty());
    for (const auto* garbage :
         {"", " 10.0.0.1:80", "10.0.0.1:80\n", "10.0.0.1", "http://10.0.0.1:80", "{}", "{", "[]",
          R"({"endpoints":"grpc://a:1"})", R"({"endpoints":["a:1"]})",
          R"({"endpoints":["grpc://a:1"]} )"
          "x",
          R"({"endpoints":[1]})", R"({"endpoints":["grpc://a:0"]})"})
      CHECK_MESSAGE(registered(garbage) == "unreadable", garbage);
  }

  TEST_CASE("a range and a watch's lines are read") {
    const auto range = names::read_etcd_range(
        R"({"header":{"cluster_id":"1","revision":"7"},"kvs":[{"key":"ay8x","create_revision":"2",)"
        R"("mod_revision":"6","version":"1","value":"eA=="}],"more":true,"count":"1"})");
    REQUIRE(range.has_value());
    CHECK(range->revision == 7);
    CHECK(range->has_more);
    REQUIRE(range->entries.size() == 1);
    CHECK(range->entries[0].key == "k/1");
    CHECK(range->entries[0].value == "x");
    CHECK(range->entries[0].revision == 6);
    for (const auto* garbage :
         {"", "{}", R"({"header":{"revision":"x"}})", R"({"header":{"revision":"7"})",
          R"({"header":{"revision":"7"},"kvs":[{"key":"?"}]})", R"({"header":{"revision":"-1"}})"})
      CHECK_FALSE_MESSAGE(names::read_etcd_range(garbage).has_value(), garbage);

    const auto news = names::read_etcd_news(
        R"({"result":{"header":{},"events":[{"type":"DELETE","kv":{"key":"ay8x",)"
        R"("mod_revision":"3"}},{"kv":{"key":"ay8y","mod_revision":"4"}}]}})");
    REQUIRE(news.has_value());
    REQUIRE(news->entries.size() == 2);
    CHECK(news->entries[0].is_gone);
    CHECK_FALSE(news->entries[1].is_gone);
    CHECK(names::read_etcd_news(R"({"result":{"canceled":true,"compact_revision":"3"}})")
              ->is_canceled);
    CHECK(names::read_etcd_news(R"({"error":{"code":14}})")->is_canceled);
    CHECK_FALSE(names::read_etcd_news(R"({"result":{)").has_value());
  }

  TEST_CASE("a health answer gives the service's address, or the node's") {
    CHECK(health("[]").empty());
    CHECK(
        health(R"([{"Node":{"Address":"n"},"Service":{"Address":"","Port":1,)"
               R"("Weights":{"Passing":10,"Warning":1}},"Checks":[{}]},)"
               R"({"Service":{"Address":"s","Port":2,"Weights":null},"Node":{"Address":"n"}}])") ==
        "n:1*10 s:2*1 ");
    CHECK(health(R"([{"Service":{"Address":"s","Port":65536,"Weights":{"Passing":-1}}}])") ==
          "s:0*0 ");
    for (const auto* garbage : {"", "{}", "null", "[", R"([{"Service":1}])", "[] x", "<html>"})
      CHECK_MESSAGE(health(garbage) == "unreadable", garbage);
  }
}

}  // namespace belay::test
