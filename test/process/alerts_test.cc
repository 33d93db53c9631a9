// `belay serve` tells a webhook what is stuck.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <future>
#include <nlohmann/json.hpp>

#include "served.h"
#include "support/http_peer.h"

using namespace std::chrono_literals;

namespace belay::test {
namespace {

using Json = nlohmann::json;

std::vector<Json> alerts_of(const HttpPeer& webhook) {
  std::vector<Json> alerts;
  for (const auto& request : webhook.requests())
    alerts.push_back(Json::parse(request.body, nullptr, false));
  return alerts;
}

// Empty if it was not told so often.
std::vector<Json> told(const HttpPeer& webhook, std::size_t count) {
  return webhook.got(count) ? alerts_of(webhook) : std::vector<Json>();
}

}  // namespace

TEST_SUITE("belay serve --alert-webhook") {
  TEST_CASE("an alert on its way does not hold up the end") {
    HttpPeer peer([](const PeerRequest& request) {
      return contains(request.target, "/alert") ? nothing() : say(500);
    });
    Served served({"--alert-webhook", peer.url("/alert"), "--stuck-after", "1",
                   "--retry-first-interval", "1m", "--drain-timeout", "100ms", "--alert-wait",
                   "0s"});
    REQUIRE(served.listening());
    CHECK(status_of(served.submit(saga_to("g1", peer.url("/branch")))) == 200);
    REQUIRE(peer.got(2));
    const auto end = served.stop();
    CHECK(end.exit_code == 0);
    CHECK(contains(end.err, "the drain timeout passed"));
  }

  TEST_CASE("the alert webhook is told of what is stuck, in dtm's words") {
    HttpPeer webhook([](const PeerRequest&) { return say(200); });
    HttpPeer peer([](const PeerRequest&) { return say(500, "out of order"); });
    Served served({"--alert-webhook", webhook.url("/alert"), "--stuck-after", "2",
                   "--retry-first-interval", "10ms", "--alert-wait", "0s"});
    REQUIRE(served.listening());
    CHECK(status_of(served.submit(saga_to("g1", peer.url("/branch")))) == 200);
    const auto alerts = told(webhook, 1);
    REQUIRE(alerts.size() == 1);
    const auto& alert = alerts.front();
    REQUIRE(alert.is_object());
    CHECK(alert["gid"] == "g1");
    CHECK(contains(alert["branch"], "/branch"));
    CHECK(alert["status"] == "submitted");
    CHECK(alert["retry_count"] >= 2);  // when it is told, the next call may have been made
    CHECK(contains(alert["error"], "500"));
    CHECK(alert["branch_id"] == "01");
    CHECK(alert["op"] == "action");
    CHECK(alert["host"] == peer.host());
    CHECK(alert["count"] == 1);
  }

  TEST_CASE("fifty behind one dead host are one alert, and one when the host is back") {
    constexpr int kCount = 50;
    std::atomic<bool> alive = false;
    std::atomic<int> calls = 0;
    std::promise<void> all_called;
    const auto released = all_called.get_future().share();
    HttpPeer webhook([](const PeerRequest&) { return say(200); });
    HttpPeer peer([&](const PeerRequest&) {
      if (alive) return say(200, R"({"dtm_result":"SUCCESS"})");
      if (++calls == kCount) all_called.set_value();
      released.wait_for(20s);
      return raw("");  // the connection ends, and nothing was said
    });
    Served served({"--alert-webhook", webhook.url("/alert"), "--stuck-after", "1",
                   "--retry-first-interval", "20ms", "--retry-multiplier", "1", "--request-timeout",
                   "30s", "--alert-wait", "5s", "--breaker-open-first", "20ms",
                   "--breaker-open-max", "100ms"});
    REQUIRE(served.listening());
    for (int i = 0; i < kCount; ++i) {
      const auto gid = "g" + std::to_string(i);
      REQUIRE(status_of(served.submit(saga_to(gid, peer.url("/take?gid=" + gid)))) == 200);
    }
    const auto firing = told(webhook, 1);
    REQUIRE(firing.size() == 1);
    CHECK(firing[0]["state"] == "firing");
    CHECK(firing[0]["count"] == kCount);
    CHECK(firing[0]["host"] == peer.host());
    alive = true;
    const auto resolved = told(webhook, 2);
    REQUIRE(resolved.size() == 2);
    CHECK(resolved[1]["state"] == "resolved");
    CHECK(resolved[1]["count"] == 0);
    CHECK(resolved[1]["group"] == firing[0]["group"]);
    served.stop();
    CHECK(alerts_of(webhook).size() == 2);
  }

  TEST_CASE("a webhook that hangs delays nothing") {
    HttpPeer webhook([](const PeerRequest&) { return nothing(); });
    HttpPeer peer([](const PeerRequest& request) {
      return contains(request.target, "/good") ? say(200) : say(500);
    });
    Served served({"--alert-webhook", webhook.url("/alert"), "--stuck-after", "1",
                   "--retry-first-interval", "1m", "--alert-wait", "0s"});
    REQUIRE(served.listening());
    CHECK(status_of(served.submit(saga_to("bad", peer.url("/bad")))) == 200);
    REQUIRE(webhook.got(1));
    for (const auto* gid : {"g1", "g2", "g3"}) {
      const auto saga = saga_to(gid, peer.url("/good"), R"(,"wait_result":true)");
      CHECK(status_of(served.submit(saga)) == 200);
    }
    const auto metrics = served.get("/metrics");
    REQUIRE(metrics.has_value());
    CHECK(contains(metrics->body, "belay_transactions_finished_total{status=\"succeed\"} 3"));
    CHECK(contains(metrics->body, "\nbelay_alerts_failed_total 0\n"));  // it still hangs
    served.process().kill(SIGKILL);
    served.process().wait();
  }

  TEST_CASE("a webhook that cannot be reached is named by its host only") {
    HttpPeer peer([](const PeerRequest&) { return say(500, "out of order"); });
    const auto host = "127.0.0.1:" + std::to_string(free_port());
    Served served({"--alert-webhook", "http://me:word@" + host + "/services/secret?token=t",
                   "--stuck-after", "1", "--retry-first-interval", "10ms", "--alert-wait", "0s"});
    REQUIRE(served.listening());
    CHECK(status_of(served.submit(saga_to("g1", peer.url("/branch")))) == 200);
    CHECK(served.process().wait_for_output("no answer from http://***@" + host + ": ",
                                           std::chrono::seconds(60)));
    const auto end = served.stop();
    CHECK_FALSE(contains(end.err, "secret"));
    CHECK_FALSE(contains(end.err, "word"));
  }
}

}  // namespace belay::test
