// Goal: the admin API shows what the commands show, to those who may see it.
// Method: transactions in known states, and the answers' members.
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <thread>

#include "serve/protocol/admin/history.h"
#include "unit/protocol/api_site.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;
using protocol::Durations;
using protocol::Role;

http::Response read(ApiSite& site, const std::string& path, const http::Fields& query,
                    Role role = Role::read) {
  return site.ask({"GET", "/api/belay/v1/" + path, query, {}, {}}, {"name", role});
}

std::string gids_in(const http::Response& response) {
  std::string gids;
  const auto page = object_in(response);
  for (const auto& one : page.at("transactions"))
    gids += one.at("transaction").at("gid").get<std::string>() + " ";
  return gids;
}

}  // namespace

TEST_SUITE("protocol/admin/read") {
  TEST_CASE("transactions are listed page by page, filtered and without their definitions") {
    ApiSite site;
    REQUIRE(site.bring("a1", "saga", Status::succeed));
    REQUIRE(site.bring("a2", "saga", Status::failed));
    REQUIRE(site.bring("b1", "msg", Status::prepared));
    const auto gids = [&](const http::Fields& query) {
      std::string found;
      const auto page = object_in(read(site, "transactions", query));
      for (const auto& row : page.at("transactions")) {
        CHECK_FALSE(row.contains("definition"));
        found += row.at("gid").get<std::string>() + " ";
      }
      return found;
    };
    CHECK(gids({}) == "b1 a2 a1 ");
    CHECK(gids({{"status", "failed"}}) == "a2 ");
    CHECK(gids({{"mode", "msg"}}) == "b1 ");
    CHECK(gids({{"finished", "true"}}) == "a2 a1 ");
    CHECK(gids({{"gid_prefix", "a"}}) == "a2 a1 ");
    CHECK(gids({{"target", "no"}}) == "a2 ");
    CHECK(gids({{"newer_than_ms", "3600000"}}) == "b1 a2 a1 ");
    CHECK(gids({{"older_than_ms", "3600000"}}) == "");
    const auto page = object_in(read(site, "transactions", {{"limit", "2"}}));
    CHECK(page.at("transactions").size() == 2);
    CHECK(gids({{"before", std::to_string(page.at("next_before").get<int>())}}) == "a1 ");
  }

  TEST_CASE("a parameter that cannot be meant is refused by name") {
    ApiSite site;
    const auto refused = [&](const std::string& path, const http::Fields& query) {
      const auto response = read(site, path, query);
      CHECK(response.status == 400);
      return message_of(response);
    };
    CHECK(refused("transactions", {{"limit", "501"}}) ==
          "limit: it must be a whole number from 1 to 500");
    refused("transactions", {{"limit", "0"}});
    refused("transactions", {{"limit", "1x"}});
    refused("transactions", {{"before", "-1"}});
    refused("transactions", {{"older_than_ms", "99999999999999999999"}});
    CHECK(refused("transactions", {{"stuck", "1"}}) == "stuck: it must be true or false");
    CHECK(refused("transactions", {{"status", "done"}}).starts_with("status: 'done' is none of"));
    CHECK(refused("transactions", {{"mode", ""}}) == "mode: its value is empty");
    CHECK(refused("transactions", {{"mode", "saga"}, {"mode", "tcc"}}) ==
          "mode: it is given twice");
    CHECK(refused("transactions", {{"limits", "1"}}) == "limits: there is no such parameter");
    refused("stuck", {{"by", "gid"}});
    refused("stuck/transactions", {{"limit", "501"}});
    refused("stuck/transactions", {{"key", "x"}});
    refused("stuck/transactions", {{"finished", "true"}});
    CHECK(refused("stuck/transactions", {{"host", "h"}}) == "host: it is no http or https URL");
    CHECK(
        refused("transactions", {{"target", "http://***@h/"}}).starts_with("target: '***' stands"));
    for (const auto* path : {"overview", "history", "hosts", "names", "holds", "topics", "events",
                             "transactions/g/why"})
      refused(path, {{"x", "1"}});
  }

  TEST_CASE("payloads, headers and custom data are shown only to an admin who asks for them") {
    ApiSite site;
    const Json body{
        {"gid", "g"},
        {"mode", "saga"},
        {"custom_data", "secret-custom"},
        {"headers", Json::array({Json::array({"X-Shop", "secret-header"}),
                                 Json::array({"Authorization", "secret-token"})})},
        {"steps",
         {{{"action", "later"}, {"payload", "secret-payload"}},
          {{"action", "http://u:secret-word@127.0.0.1:1/"}, {"payload", "secret-payload"}}}}};
    REQUIRE(site.admin("POST", "transactions", body).status == 200);
    const auto shown = [&](const http::Fields& query, Role role) {
      return read(site, "transactions/g", query, role);
    };
    const auto plain = shown({}, Role::admin);
    CHECK(plain.body.find("secret") == plain.body.npos);
    const auto definition = object_in(plain).at("definition");
    CHECK(definition.at("steps").size() == 2);
    CHECK(definition.at("steps")[0][0] == "later");
    const auto refused = shown({{"payloads", "true"}}, Role::submit);
    CHECK(refused.status == 403);
    CHECK(refused.body.find("secret") == refused.body.npos);
    const auto all = shown({{"payloads", "true"}}, Role::admin).body;
    for (const auto* part : {"secret-custom", "secret-header", "secret-payload"})
      CHECK_MESSAGE(all.find(part) != all.npos, part);
    for (const auto* part : {"secret-token", "secret-word"})
      CHECK_MESSAGE(all.find(part) == all.npos, part);
    CHECK(object_in(read(site, "overview", {}, Role::admin)).at("makes_payloads_visible") == true);
    CHECK(object_in(read(site, "overview", {}, Role::submit)).at("makes_payloads_visible") ==
          false);
  }

  TEST_CASE("a page of stuck ones ends at two megabytes, and one transaction more") {
    ApiSite site;
    // Some 1.1 MB each: the name is in the target and in its error.
    auto steps = Json::array();
    for (int i = 0; i < 500; ++i)
      steps.push_back({{"action", std::to_string(i) + std::string(990, 'n')}, {"compensate", ""}});
    for (const auto* gid : {"g1", "g2", "g3"})
      REQUIRE(site.admin("POST", "transactions",
                         {{"gid", gid}, {"mode", "saga"}, {"concurrent", true}, {"steps", steps}})
                  .status == 200);
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    const auto rows = [&](const http::Fields& query) {
      return object_in(read(site, "stuck/transactions", query));
    };
    const auto last = [&] { return rows({{"gid_prefix", "g1"}}); };
    while (last().at("transactions").empty() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    Json page;
    do page = rows({});
    while (page.at("next_before").is_null() && std::chrono::steady_clock::now() < deadline);
    CHECK(page.at("transactions").size() == 2);
    REQUIRE(page.at("next_before").is_number());
    page = rows({{"before", std::to_string(page.at("next_before").get<std::int64_t>())}});
    CHECK(page.at("transactions").size() == 1);
    CHECK(page.at("next_before").is_null());
  }

  TEST_CASE("what is stuck is explained and grouped") {
    ApiSite site;
    for (const auto* gid : {"g1", "g2"})
      REQUIRE(site.admin("POST", "transactions",
                         {{"gid", gid},
                          {"mode", "saga"},
                          {"steps", {{{"action", "nobody"}, {"compensate", "ok"}}}}})
                  .status == 200);
    // The engine knows some time before the file does.
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    const auto grouped = [&] {
      const auto groups = object_in(read(site, "stuck", {})).at("groups");
      return groups.empty() ? Json(0) : groups[0].at("transactions");
    };
    while (grouped() != 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    const auto why = object_in(read(site, "transactions/g1/why", {}));
    CHECK(why.at("stuck") == true);
    CHECK(why.at("waits").at(0).at("target") == "nobody");
    CHECK(why.at("waits").at(0).at("status") == "parked");
    for (const auto* by : {"handler", "host", "error"}) {
      CAPTURE(by);
      const auto stuck = object_in(read(site, "stuck", {{"by", by}}));
      REQUIRE(stuck.at("groups").size() == 1);
      CHECK(stuck.at("groups")[0].at("by") == by);
      CHECK(stuck.at("groups")[0].at("transactions") == 2);
      CHECK(stuck.at("left_out") == 0);
      http::Fields query{{"by", by}};
      if (const auto& key = stuck.at("groups")[0].at("key"); key.is_string())
        query.emplace_back("key", key.get<std::string>());
      CHECK(gids_in(read(site, "stuck/transactions", query)) == "g2 g1 ");
      query.emplace_back("limit", "1");
      const auto first = read(site, "stuck/transactions", query);
      CHECK(gids_in(first) == "g2 ");
      CHECK(object_in(first).at("transactions")[0].at("branches").size() == 1);
      const auto next = object_in(first).at("next_before").get<std::int64_t>();
      query.emplace_back("before", std::to_string(next));
      CHECK(gids_in(read(site, "stuck/transactions", query)) == "g1 ");
    }
    CHECK(gids_in(read(site, "stuck/transactions", {})) == "g2 g1 ");
    CHECK(gids_in(read(site, "stuck/transactions", {{"target", "other"}})).empty());
    CHECK(gids_in(read(site, "stuck/transactions", {{"target", "nobody"}})) == "g2 g1 ");
    CHECK(gids_in(read(site, "stuck/transactions", {{"host", "http://h"}})).empty());
    CHECK(object_in(read(site, "overview", {})).at("counters").at("stuck") == 2);
    // The row of an unfinished transaction is written some time behind its log.
    const auto oldest = [&] {
      return object_in(read(site, "overview", {})).at("oldest_unfinished_at");
    };
    while (oldest().is_null() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    CHECK(oldest().is_number());
  }

  TEST_CASE("the history is a ring of samples with the latencies of submits") {
    protocol::Metrics metrics;
    protocol::admin::History history;
    Counters counters;
    history.sample(counters, metrics);
    for (int i = 0; i < 100; ++i) metrics.count_request("submit", 200, i < 90 ? 0.002 : 0.2);
    metrics.count_request("query", 200, 9);
    counters.submitted = 100;
    history.sample(counters, metrics);
    history.sample(counters, metrics);
    const auto samples = history.json().at("samples");
    REQUIRE(samples.size() == 3);
    CHECK(samples[0].at("latency_p50_ms").is_null());
    CHECK(samples[1].at("submitted") == 100);
    CHECK(samples[1].at("submits") == 100);
    const auto p50 = samples[1].at("latency_p50_ms").get<double>();
    CHECK(p50 > 1.0);
    CHECK(p50 < 2.5);
    const auto p99 = samples[1].at("latency_p99_ms").get<double>();
    CHECK(p99 > 100);
    CHECK(p99 <= 250);
    CHECK(samples[2].at("submits") == 0);
    for (std::size_t i = 0; i < protocol::admin::History::kSamplesMax; ++i) {
      counters.submitted = 1'000 + i;
      history.sample(counters, metrics);
    }
    const auto full = history.json().at("samples");
    CHECK(full.size() == 720);
    CHECK(full.front().at("submitted") == 1'000);
    CHECK(full.back().at("submitted") == 1'719);
  }

  TEST_CASE("a quantile lies within its bucket") {
    const Durations durations{{1, 2, 4}, {0, 4, 4, 2}};
    CHECK(durations.count() == 10);
    CHECK(durations.quantile(0.4) == doctest::Approx(2));
    CHECK(durations.quantile(0.5) == doctest::Approx(2.5));
    CHECK(durations.quantile(0.99) == doctest::Approx(4));
    CHECK_FALSE(Durations{{1}, {0, 0}}.quantile(0.5));
  }
}

}  // namespace belay::test
