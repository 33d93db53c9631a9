// Clients that are too large, too slow, too many or gone.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <future>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "raw_client.h"
#include "serve/http/client.h"
#include "serve/http/listener.h"
#include "serve/http/server.h"
#include "started.h"

using namespace std::chrono_literals;

namespace belay::http {
namespace {

int status_of(const Result<http::Response>& response) { return response ? response->status : 0; }

// Waits without a fixed time, for what must come.
template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds limit = 10s) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

// This process can open no file, until the end or before.
class NoFileLeft {
 public:
  NoFileLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = dup(0);
    close(next);
    const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFileLeft() { no_longer(); }
  void no_longer() const { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

std::chrono::microseconds cpu_time() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return std::chrono::seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         std::chrono::microseconds(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

constexpr std::string_view kWhole = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_SUITE("http misbehaviour") {
  TEST_CASE("a body of the limit is taken, one byte more is answered 413") {
    const auto server = started({.body_bytes_max = 100'000});
    const auto post = [&](std::size_t size) {
      return status_of(
          fetch({.method = "POST", .url = url_of(*server), .body = std::string(size, 'x')}));
    };
    CHECK(post(100'000) == 200);
    CHECK(post(100'001) == 413);
    CHECK(post(399'000) == 413);
    CHECK(server->figures().refused == 2);
  }

  TEST_CASE("a body that only claims to be large is answered before it is sent") {
    const auto server = started({.body_bytes_max = 1'000});
    test::RawClient client(server->port());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n");
    CHECK(client.receive_until("\r\n\r\n").find(" 413 ") != std::string::npos);
    CHECK(client.ended());
  }

  TEST_CASE("a body whose length is said twice is refused, and its connection ended") {
    const auto server = started({});
    for (const auto* headers : {"Content-Length: 2\r\nContent-Length: 3\r\n",
                                "content-length: 2\r\nContent-Length: 2\r\n",
                                "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"}) {
      CAPTURE(headers);
      test::RawClient client(server->port());
      client.send(std::string("POST / HTTP/1.1\r\nHost: x\r\n") + headers + "\r\n{}x");
      CHECK(client.receive_until("\r\n\r\n").find(" 400 ") != std::string::npos);
      CHECK(client.ended());
    }
  }

  TEST_CASE("a chunked body without end is cut off") {
    const auto server = started({.body_bytes_max = 100'000});
    test::RawClient client(server->port());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto chunk = "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
    CHECK(eventually([&] { return !client.send(chunk); }));
  }

  TEST_CASE("bodies of all together are bounded: 503") {
    const auto server = started({.bodies_bytes_max = 150'000});
    test::RawClient slow(server->port());
    slow.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n");
    slow.send(std::string(100'000, 'x'));
    const auto post = [&] {
      return status_of(
          fetch({.method = "POST", .url = url_of(*server), .body = std::string(60'000, 'x')}));
    };
    REQUIRE(eventually([&] { return server->figures().body_bytes == 100'000; }));
    CHECK(post() == 503);
    slow.close();
    CHECK(eventually([&] { return post() == 200; }));
    CHECK(eventually([&] { return server->figures().body_bytes == 0; }));
  }

  TEST_CASE("answers that nobody reads are bounded with the bodies: 503, and probes go on") {
    const auto server = started(
        {.bodies_bytes_max = std::size_t{24} * 1024 * 1024, .idle_timeout = Millis{600'000}},
        [](const http::Request& request, const http::Respond& respond) {
          const std::size_t size = request.path == "/large" ? 16 * 1024 * 1024 : 100;
          respond({200, "text/plain", std::string(size, 'x'), {}});
        });
    test::RawClient idle(server->port());
    idle.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(eventually([&] { return server->figures().body_bytes == 16u * 1024 * 1024; }));
    const auto get = [&](const std::string& path) {
      return status_of(fetch({.url = url_of(*server, path)}));
    };
    CHECK(get("/large") == 503);
    CHECK(get("/small") == 200);
    idle.close();
    CHECK(eventually([&] { return get("/large") == 200; }));
    CHECK(eventually([&] { return server->figures().body_bytes == 0; }));
  }

  TEST_CASE("a lone answer beyond the bound is sent all the same") {
    const auto server = started({.bodies_bytes_max = 10'000},
                                [](const http::Request&, const http::Respond& respond) {
                                  respond({200, "text/plain", std::string(100'000, 'x'), {}});
                                });
    CHECK(status_of(fetch({.url = url_of(*server)})) == 200);
    CHECK(eventually([&] { return server->figures().body_bytes == 0; }));
  }

  TEST_CASE("a request that no memory is left for ends its connection, not the server") {
    const auto server = started({}, [](const http::Request& request, const http::Respond& respond) {
      if (request.path == "/scarce") throw std::bad_alloc();
      respond({200, "text/plain", "fine", {}});
    });
    CHECK(status_of(fetch({.url = url_of(*server, "/scarce")})) == 0);
    CHECK(server->figures().shortages == 1);
    CHECK(status_of(fetch({.url = url_of(*server)})) == 200);
  }

  TEST_CASE("of a body that is refused nothing is held") {
    const auto server = started({.body_bytes_max = 100'000});
    test::RawClient client(server->port());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const auto chunk = "ea60\r\n" + std::string(0xea60, 'x') + "\r\n";  // 60,000
    client.send(chunk);
    REQUIRE(eventually([&] { return server->figures().body_bytes == 60'000; }));
    client.send(chunk);
    CHECK(eventually([&] { return server->figures().body_bytes == 0; }));
  }

  TEST_CASE("headers beyond the limit are answered 431") {
    const auto server = started({.header_bytes_max = 4'096});
    const auto with = [&](std::size_t size) {
      return status_of(
          fetch({.url = url_of(*server), .headers = {{"X-Long", std::string(size, 'x')}}}));
    };
    CHECK(with(3'000) == 200);
    CHECK(with(4'096) == 431);
    CHECK(with(100'000) == 431);
  }

  TEST_CASE("a connection that says nothing is ended after the request's time") {
    const auto server = started({.request_timeout = 200ms});
    test::RawClient client(server->port());
    CHECK(client.receive_until("\r\n\r\n").find(" 408 ") != std::string::npos);
    CHECK(client.ended());
    CHECK(eventually([&] { return server->figures().connections == 0; }));
  }

  TEST_CASE("a slow-loris that drips its headers is ended after the request's time") {
    const auto server = started({.request_timeout = 200ms});
    test::RawClient client(server->port());
    client.send("GET / HTTP/1.1\r\nX-Drip: ");
    CHECK(client.drip("x", 10ms, 10s));
  }

  TEST_CASE("a body that drips is ended too") {
    const auto server = started({.request_timeout = 200ms});
    test::RawClient client(server->port());
    client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    CHECK(client.drip("x", 10ms, 10s));
  }

  TEST_CASE("so is the second request of a kept connection, though it may be idle for long") {
    const auto server = started({.request_timeout = 200ms, .idle_timeout = 60s});
    test::RawClient idle(server->port());
    test::RawClient dripping(server->port());
    for (auto* client : {&idle, &dripping}) {
      client->send(kWhole);
      CHECK(client->receive_until("bytes").find("200 OK") != std::string::npos);
    }
    CHECK(dripping.drip("G", 10ms, 10s));
    idle.send(kWhole);
    CHECK(idle.receive_until("bytes").find("200 OK") != std::string::npos);
  }

  TEST_CASE("an idle connection is ended after the idle time") {
    const auto server = started({.idle_timeout = 200ms});
    test::RawClient client(server->port());
    client.send(kWhole);
    CHECK(client.receive_until("bytes").find("200 OK") != std::string::npos);
    CHECK(client.ended());
  }

  TEST_CASE("a client that does not take its response is ended after the idle time") {
    const auto large = [](http::Request, http::Respond respond) {
      respond({200, "text/plain", std::string(64 * 1024 * 1024, 'x'), {}});
    };
    const auto server = started({.idle_timeout = 200ms}, large);
    test::RawClient client(server->port());
    client.send(kWhole);
    CHECK(eventually([&] { return server->figures().requests == 1; }));
    CHECK(eventually([&] { return server->figures().connections == 0; }));
  }

  TEST_CASE("a handler may take longer than a request's reading") {
    std::promise<http::Respond> held;
    const auto server =
        started({.request_timeout = 100ms, .idle_timeout = 100ms},
                [&](http::Request, http::Respond respond) { held.set_value(std::move(respond)); });
    test::RawClient client(server->port());
    client.send(kWhole);
    const auto respond = held.get_future().get();
    CHECK(client.receive_until("anything", 500ms).empty());
    respond({200, "text/plain", "at last", {}});
    CHECK(client.receive_until("at last").find("200 OK") != std::string::npos);
  }

  TEST_CASE("requests beyond those in flight are answered 503 with Retry-After") {
    std::vector<http::Respond> held;
    std::atomic<int> count{0};
    const auto server =
        started({.requests_in_flight_max = 2}, [&](http::Request, http::Respond respond) {
          held.push_back(std::move(respond));
          ++count;
        });
    std::vector<test::RawClient> clients;
    for (int i = 0; i < 2; ++i) clients.emplace_back(server->port()).send(kWhole);
    CHECK(eventually([&] { return count == 2; }));
    const auto third = fetch({.url = url_of(*server)});
    CHECK(status_of(third) == 503);
    bool retry_after = false;
    for (const auto& [name, value] : third->headers) retry_after |= name == "Retry-After";
    CHECK(retry_after);
    for (const auto& respond : held) respond({});
    CHECK(eventually([&] { return server->figures().requests_in_flight == 0; }));
    for (auto& client : clients) {
      CHECK(client.receive_until("\r\n\r\n").find("200 OK") != std::string::npos);
    }
  }

  TEST_CASE("connections beyond the limit are told so, and leaving makes room") {
    const auto server = started({.connections_max = 4});
    std::vector<test::RawClient> clients;
    for (int i = 0; i < 4; ++i) clients.emplace_back(server->port());
    CHECK(eventually([&] { return server->figures().connections == 4; }));
    CHECK(status_of(fetch({.url = url_of(*server)})) == 503);
    clients.clear();
    CHECK(eventually([&] { return status_of(fetch({.url = url_of(*server)})) == 200; }));
  }

  TEST_CASE("a client beyond even those waits, and is heard when another leaves") {
    const auto server = started({.connections_max = 4, .request_timeout = 60s});
    std::vector<test::RawClient> clients;
    const auto all_in = [&] { return server->figures().connections == clients.size(); };
    do clients.emplace_back(server->port());
    while (eventually(all_in, 500ms));
    REQUIRE(clients.size() > 20);
    clients.back().send(kWhole);
    clients.front().close();
    CHECK(clients.back().receive_until("\r\n\r\n").find(" 503 ") != std::string::npos);
  }

  TEST_CASE("a client that comes when no file is left is served when there is one") {
    std::promise<void> limited;
    auto held = limited.get_future();
    const auto server = started({}, holding(held, hello));
    test::RawClient first(server->port());
    first.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(eventually([&] { return server->figures().requests == 1; }));
    test::RawClient client(server->port());
    client.send(kWhole);
    const NoFileLeft none;
    limited.set_value();
    CHECK(first.receive_until("bytes").find("200 OK") != std::string::npos);
    const auto before = cpu_time();
    CHECK(client.receive_until("bytes", 500ms).empty());
    CHECK(cpu_time() - before < 250ms);
    none.no_longer();
    CHECK(client.receive_until("bytes").find("200 OK") != std::string::npos);
  }

  TEST_CASE("endless chunk extensions keep nobody busy, also while others are served") {
    const auto server = started({.request_timeout = 1s});
    std::vector<test::RawClient> endless;
    for (int i = 0; i < 20; ++i) {
      auto& client = endless.emplace_back(server->port());
      client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;");
      client.send(std::string(60'000, 'a'));
    }
    test::RawClient good(server->port());
    const auto before = cpu_time();
    while (server->figures().connections > 1) {
      good.send(kWhole);
      REQUIRE(good.receive_until("bytes").find("200 OK") != std::string::npos);
      endless.back().receive_until("408", 5ms);
    }
    CHECK(cpu_time() - before < 500ms);
    CHECK(endless.front().receive_until("\r\n\r\n").find(" 408 ") != std::string::npos);
  }

  TEST_CASE("clients that leave before their answer do no harm") {
    std::vector<http::Respond> held;
    std::atomic<int> count{0};
    const auto server = started({}, [&](http::Request, http::Respond respond) {
      held.push_back(std::move(respond));
      ++count;
    });
    for (int i = 0; i < 50; ++i) {
      test::RawClient client(server->port());
      client.send(kWhole);
    }
    CHECK(eventually([&] { return count == 50; }));
    for (const auto& respond : held) respond({});
    CHECK(eventually([&] { return server->figures().connections == 0; }));
    CHECK(server->figures().requests_in_flight == 0);
  }

  TEST_CASE("5,000 idle connections do no harm") {
    const auto server = started({.request_timeout = 60s});
    make_room_for(10'000);  // the clients' ends are this process's too
    std::vector<test::RawClient> idle;
    for (int i = 0; i < 5'000; ++i) {
      idle.emplace_back(server->port());
      REQUIRE(idle.back().connected());
    }
    CHECK(eventually([&] { return server->figures().connections == 5'000; }));
    for (int i = 0; i < 100; ++i) REQUIRE(status_of(fetch({.url = url_of(*server)})) == 200);
  }

  TEST_CASE("garbage is answered 400 or dropped, and the next client is served") {
    const auto server = started({});
    for (const auto* garbage : {"\x16\x03\x01\x02\x00", "GARBAGE\r\n\r\n", "GET\r\n\r\n",
                                "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "\r\n\r\n\r\n"}) {
      test::RawClient client(server->port());
      client.send(garbage);
      client.receive_until("\r\n\r\n", 100ms);
    }
    CHECK(status_of(fetch({.url = url_of(*server)})) == 200);
  }
}

}  // namespace belay::http
