// Goal: topics and their view as keys and values, with dtm's words.
// Method: the requests of the console and the clients, in the order they make them.
#include <doctest/doctest.h>

#include "unit/protocol/api_site.h"

namespace belay::test {
namespace {

http::Fields topic(const std::string& name, const std::string& url,
                   const std::string& remark = {}) {
  return {{"topic", name}, {"url", url}, {"remark", remark}};
}

std::vector<std::string> keys_of(const http::Response& response) {
  std::vector<std::string> keys;
  const auto page = Json::parse(response.body);
  for (const auto& row : page.at("kv")) keys.push_back(row.at("k").get<std::string>());
  return keys;
}

}  // namespace

TEST_SUITE("protocol/topics") {
  TEST_CASE("subscribing and unsubscribing say what is wrong") {
    ApiSite site;
    const auto fails = [&](const char* name, const http::Fields& query) {
      const auto response = site.get(name, query);
      CHECK(response.status == 500);
      return message_of(response);
    };
    CHECK(site.get("subscribe", topic("t", "ok", "mine")).status == 200);
    CHECK(fails("subscribe", topic("t", "ok")) == "this url exists");
    CHECK(fails("subscribe", topic("", "ok")) == "empty topic");
    CHECK(fails("subscribe", topic("t", "")) == "empty url");
    CHECK(site.get("subscribe", topic("t", "later")).status == 200);
    CHECK(fails("unsubscribe", topic("", "ok")) == "empty topic");
    CHECK(fails("unsubscribe", topic("t", "")) == "empty url");
    CHECK(fails("unsubscribe", topic("x", "ok")) == "no such a topic");
    CHECK(fails("unsubscribe", topic("t", "no")) == "no such an url ");
    CHECK(site.get("unsubscribe", topic("t", "ok")).status == 200);
    CHECK(fails("unsubscribe", topic("t", "ok")) == "no such an url ");
    CHECK(site.get("unsubscribe", topic("t", "later")).status == 200);
    CHECK(fails("unsubscribe", topic("t", "later")) == "this topic is empty");
    const auto remove = [&](const char* path) { return site.ask({"DELETE", path, {}, {}, {}}); };
    CHECK(remove("/api/dtmsvr/topic/t").status == 200);
    CHECK(message_of(remove("/api/dtmsvr/topic/t")) == "storage: NotFound");
    CHECK(remove("/api/dtmsvr/topic/t").status == 500);
  }

  TEST_CASE("whoever asks about topics waits for a read like the others") {
    auto options = ApiSite::default_options();
    options.reads_queued_max = 0;
    ApiSite site(options);
    for (const auto* name : {"subscribe", "unsubscribe", "scanKV", "queryKV"})
      CHECK(site.get(name, topic("t", "ok")).status == 503);
  }

  TEST_CASE("topics are keys, their subscribers values") {
    ApiSite site;
    for (const auto* name : {"b", "a", "c"}) site.get("subscribe", topic(name, "ok", "<r>"));
    site.get("subscribe", topic("a", "later"));
    const auto one = site.get("queryKV", {{"cat", "topics"}, {"key", "a"}});
    const auto row = Json::parse(one.body).at("kv").at(0);
    CHECK(row.at("cat") == "topics");
    CHECK(Json::parse(row.at("v").get<std::string>()) ==
          Json::parse(R"([{"url":"later","remark":""},{"url":"ok","remark":"<r>"}])"));
    CHECK(site.get("queryKV", {{"cat", "topics"}, {"key", "x"}}).body == R"({"kv":[]})");
    CHECK(keys_of(site.get("queryKV", {})) == std::vector<std::string>{"a", "b", "c"});
    CHECK(site.get("queryKV", {{"cat", "other"}}).body == R"({"kv":[]})");
    auto page = site.get("scanKV", {{"cat", "topics"}, {"limit", "2"}});
    CHECK(keys_of(page) == std::vector<std::string>{"a", "b"});
    const auto next = Json::parse(page.body).at("next_position").get<std::string>();
    CHECK(next == "b");
    page = site.get("scanKV", {{"cat", "topics"}, {"limit", "2"}, {"position", next}});
    CHECK(keys_of(page) == std::vector<std::string>{"c"});
    CHECK(Json::parse(page.body).at("next_position") == "");
    CHECK(message_of(site.get("scanKV", {{"limit", "x"}})) == "convert to int error: x");
  }

  TEST_CASE("a subscriber's secrets are hidden in lists unless they may be shown") {
    auto options = ApiSite::default_options();
    for (const auto secrets : {protocol::Secrets::hidden, protocol::Secrets::shown}) {
      options.secrets = secrets;
      ApiSite site(options);
      CHECK(site.get("subscribe", topic("t", "http://me:word@h/x?token=y")).status == 200);
      const auto* url = secrets == protocol::Secrets::hidden ? "http://***@h/x?token=***"
                                                             : "http://me:word@h/x?token=y";
      for (const auto* name : {"queryKV", "scanKV"}) {
        const auto row = Json::parse(site.get(name).body).at("kv").at(0);
        CHECK(Json::parse(row.at("v").get<std::string>()).at(0).at("url") == url);
      }
    }
  }

  TEST_CASE(
      "a topic without subscribers is listed, counts its changes, and is no topic for a msg") {
    ApiSite site;
    site.get("subscribe", topic("t", "ok"));
    CHECK(site.post("prepare", msg("g", {"topic://t"})).status == 200);
    site.get("unsubscribe", topic("t", "ok"));
    const auto row = Json::parse(site.get("queryKV", {{"key", "t"}}).body).at("kv").at(0);
    CHECK(row.at("v") == "[]");
    CHECK(row.at("version") == 2);
    CHECK(row.at("create_time").get<std::string>().ends_with("+00:00"));
    CHECK(row.at("update_time").get<std::string>() >= row.at("create_time").get<std::string>());
    CHECK(keys_of(site.get("scanKV", {})) == std::vector<std::string>{"t"});
    for (const auto* name : {"submit", "prepare"}) {
      CHECK(site.post(name, msg("h", {"topic://t"})).status == 500);
      CHECK(message_of(site.post(name, msg("h", {"topic://t"}))) == "topic not found");
    }
    // Nor for one that was prepared before.
    CHECK(message_of(site.post("submit", msg("g", {"topic://t"}))) == "topic not found");
    CHECK(site.status_of("g") == Status::prepared);
    site.get("subscribe", topic("t", "ok"));
    CHECK(site.post("submit", msg("g", {"topic://t"})).status == 200);
    CHECK(site.reaches("g", Status::succeed));
    CHECK(site.calls_of("g") == 1);
  }

  TEST_CASE("a message goes to a topic's subscribers, and not to a topic nobody knows") {
    ApiSite site;
    for (const auto* name : {"submit", "prepare"}) {
      const auto response = site.post(name, msg("g", {"topic://t"}));
      CHECK(response.status == 500);
      CHECK(message_of(response) == "topic not found");
    }
    site.get("subscribe", topic("t", "ok"));
    CHECK(site.post("submit", msg("g", {"topic://t"}, {{"wait_result", true}})).status == 200);
    CHECK(site.calls_of("g") == 1);
    const auto stored = Json::parse(site.get("query", {{"gid", "g"}}).body);
    REQUIRE(stored.at("branches").size() == 1);
    CHECK(stored.at("branches").at(0).at("url") == "ok");
    CHECK(stored.at("branches").at(0).at("bin_data") == "e30=");
  }
}

}  // namespace belay::test
