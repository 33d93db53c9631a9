// What Prometheus is told.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "serve/process_figures.h"
#include "serve/protocol/metrics.h"
#include "support/process.h"

namespace belay::protocol {

using test::TempDir;

namespace {

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

auto lines_with(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

NameFigures name_with(const std::string& name, std::uint64_t endpoints, std::uint64_t lists) {
  NameFigures figures;
  figures.name = name;
  figures.endpoints = endpoints;
  figures.lists = lists;
  return figures;
}

}  // namespace

TEST_SUITE("protocol/metrics") {
  TEST_CASE("requests are counted by route and success, under dtm's names") {
    Metrics metrics;
    metrics.count_request("submit", 200, 0.002);
    metrics.count_request("submit", 409, 0.2);
    metrics.count_request("newGid", 200, 0.0001);
    const auto text = metrics.render({});
    CHECK(has_line(text, R"(dtm_server_process_total{api="submit",status="ok",type="http"} 1)"));
    CHECK(has_line(text, R"(dtm_server_process_total{api="submit",status="fail",type="http"} 1)"));
    CHECK(has_line(text, R"(dtm_server_process_total{api="newgid",status="ok",type="http"} 1)"));
    CHECK(has_line(text, R"(dtm_server_response_duration_count{api="submit",type="http"} 2)"));
  }

  TEST_CASE("methods of gRPC have a type of their own") {
    Metrics metrics;
    metrics.count_request("submit", 200, 0.002);
    metrics.count_request("grpc-submit", 500, 0.002);
    const auto text = metrics.render({});
    CHECK(has_line(text, R"(dtm_server_process_total{api="submit",status="fail",type="grpc"} 1)"));
    CHECK(has_line(text, R"(dtm_server_process_total{api="submit",status="fail",type="http"} 0)"));
    CHECK(has_line(text, R"(dtm_server_response_duration_count{api="submit",type="grpc"} 1)"));
  }

  TEST_CASE("routes without end do not make labels without end") {
    Metrics metrics;
    for (int i = 0; i < 10'000; ++i) metrics.count_request("route" + std::to_string(i), 200, 0);
    const auto text = metrics.render({});
    CHECK(lines_with(text, "dtm_server_process_total{") <= 2 * 65);
    CHECK(text.find(R"(api="other")") != std::string::npos);
  }

  TEST_CASE("denied requests are told by status and reason") {
    Metrics metrics;
    metrics.read_server([] { return ServerFigures{.denied = {{401, "no_token", 3}}}; });
    CHECK(has_line(metrics.render({}),
                   R"(belay_http_denied_total{status="401",reason="no_token"} 3)"));
  }

  TEST_CASE("the engine's figures are shown as they are") {
    Counters counters;
    counters.live = 3;
    counters.stuck = 1;
    counters.succeeded = 12'345'678'901;
    counters.storage_ok = false;
    counters.calls_ongoing = 8;
    counters.commit_us = 1'500'000;
    counters.commit_us_max = 250;
    counters.due_lag_ms = 20;
    Metrics metrics;
    const auto text = metrics.render({.counters = counters});
    CHECK(has_line(text, "belay_transactions_live 3"));
    CHECK(has_line(text, "belay_transactions_stuck 1"));
    CHECK(has_line(text, R"(belay_transactions_finished_total{status="succeed"} 12345678901)"));
    CHECK(has_line(text, "belay_storage_ok 0"));
    CHECK(has_line(text, R"(belay_calls_answered_total{outcome="ongoing"} 8)"));
    CHECK(has_line(text, "belay_commit_seconds_total 1.5"));
    CHECK(has_line(text, "belay_commit_seconds_max 0.00025"));
    CHECK(has_line(text, "belay_due_lag_seconds 0.02"));
    CHECK(has_line(text, "# TYPE belay_commits_total counter"));
    CHECK(text.find("belay_http_connections") == std::string::npos);
  }

  TEST_CASE("the program's own figures are asked for at each render") {
    Metrics metrics;
    ServerFigures figures;
    metrics.read_server([&figures] { return figures; });
    figures.connections = 5;
    figures.alerts_dropped = 2;
    figures.limits.queued_submits_max = 77;
    figures.version = "1.2.3";
    figures.process = tool::process_figures();
    const auto text = metrics.render({.oldest_seconds = 1.5});
    CHECK(has_line(text, "belay_oldest_unfinished_seconds 1.5"));
    CHECK(has_line(text, R"(belay_build_info{version="1.2.3"} 1)"));
    CHECK(lines_with(metrics.render({}), "belay_oldest_unfinished_seconds") == 0);
    CHECK(has_line(text, "belay_http_connections 5"));
    CHECK(has_line(text, "belay_alerts_dropped_total 2"));
    CHECK(has_line(text, "belay_submits_queued_max 77"));
  }

  TEST_CASE("what the process takes is there") {
    const auto figures = tool::process_figures();
    CHECK(figures.cpu_seconds > 0);
    CHECK(figures.start_seconds > 1.7e9);
    CHECK(figures.resident_bytes > 100'000);
    CHECK(figures.virtual_bytes >= figures.resident_bytes);
    CHECK(figures.open_files >= 3);
    CHECK(figures.open_files_max >= figures.open_files);
    const TempDir dir;
    const std::ofstream one(dir.file("one"));
    CHECK(tool::process_figures().open_files == figures.open_files + 1);
  }

  TEST_CASE("hosts are shown by outcome, and beyond a hundred summed up") {
    std::vector<HostFigures> hosts(150);
    for (std::size_t i = 0; i < hosts.size(); ++i) {
      hosts[i].host = "http://host-" + std::to_string(i);
      hosts[i].success = 2;
      hosts[i].breaker = BreakerState::open;
    }
    Metrics metrics;
    const auto text = metrics.render({.hosts = hosts});
    CHECK(has_line(text, R"(belay_host_calls_total{host="http://host-7",outcome="success"} 2)"));
    CHECK(has_line(text, R"(belay_host_breaker_state{host="http://host-7"} 1)"));
    CHECK(has_line(text, R"(belay_host_calls_total{host="other",outcome="success"} 100)"));
    CHECK(text.find("host-100") == std::string::npos);
  }

  TEST_CASE("names are shown by result, and beyond a hundred summed up") {
    std::vector<NameFigures> names(150);
    for (std::size_t i = 0; i < names.size(); ++i) {
      names[i] = name_with("etcd://h:1/" + std::to_string(i + 100), 3, 2);
      names[i].failures = 1;
      names[i].stale_for = Millis(static_cast<Millis::rep>(i) * 500);
    }
    Metrics metrics;
    const auto text = metrics.render({.names = names});
    CHECK(has_line(text, R"(belay_name_endpoints{name="etcd://h:1/107"} 3)"));
    CHECK(has_line(text, R"(belay_name_stale_seconds{name="etcd://h:1/107"} 3.5)"));
    CHECK(has_line(text, R"(belay_name_lookups_total{name="etcd://h:1/107",result="list"} 2)"));
    CHECK(has_line(text, R"(belay_name_endpoints{name="other"} 150)"));
    CHECK(has_line(text, R"(belay_name_stale_seconds{name="other"} 74.5)"));
    CHECK(has_line(text, R"(belay_name_lookups_total{name="other",result="error"} 50)"));
    CHECK(text.find("h:1/200") == std::string::npos);
  }

  TEST_CASE("names that are called alike are one series") {
    Metrics metrics;
    const auto text = metrics.render(
        {.names = {name_with("a", 1, 1), name_with("b", 2, 1), name_with("b", 3, 4)}});
    CHECK(lines_with(text, R"(belay_name_endpoints{name="b"})") == 1);
    CHECK(has_line(text, R"(belay_name_endpoints{name="b"} 5)"));
    CHECK(has_line(text, R"(belay_name_lookups_total{name="b",result="list"} 5)"));
  }
}

}  // namespace belay::protocol
