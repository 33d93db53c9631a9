// The server on real sockets: what a handler sees, who may answer, and what happens at its end.
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "raw_client.h"
#include "serve/http/client.h"
#include "serve/http/server.h"
#include "serve/http/stream.h"
#include "started.h"
#include "support/silent_lookup.h"

using namespace std::chrono_literals;

namespace belay::http {
namespace {

http::Response text(const std::string& body) { return {200, "text/plain", body, {}}; }

void echo(http::Request request, http::Respond respond) {
  std::string body = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) body += "|" + name + "=" + value;
  respond(text(body + "|" + request.body));
}

// Holds every request until it is told to answer.
class Holder {
 public:
  Server::Handler handler() {
    return [this](http::Request, http::Respond respond) {
      const std::lock_guard lock(mutex_);
      held_.push_back(std::move(respond));
      ++count;
    };
  }
  void answer_all() {
    std::vector<http::Respond> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(held_);
    }
    for (const auto& respond : taken) respond(text("late"));
  }
  void wait_for(int wanted) {
    while (count < wanted) std::this_thread::yield();
  }
  std::atomic<int> count{0};

 private:
  std::mutex mutex_;
  std::vector<http::Respond> held_;
};

}  // namespace

TEST_SUITE("http server") {
  TEST_CASE("a request's method, path, query and body reach the handler decoded") {
    const auto server = started({}, echo);
    const auto response = fetch(
        {.method = "POST", .url = url_of(*server, "/a%20b?x=1&y=a%26b&x=%2F&z="), .body = "hello"});
    REQUIRE(response);
    CHECK(response->status == 200);
    CHECK(response->body == "POST /a b|x=1|y=a&b|x=/|z=|hello");
    CHECK(response->content_type == "text/plain");
  }

  TEST_CASE("a path is seen as it was sent, too, and whose request it is") {
    const auto server = started({}, [](http::Request request, http::Respond respond) {
      respond(text(request.path + " " + request.sent_path + " " + request.peer));
    });
    const auto response = fetch({.url = url_of(*server, "/a%2fb/../%41?x=%20")});
    REQUIRE(response);
    CHECK(response->body == "/a/b/../A /a%2fb/../%41 127.0.0.1");
  }

  TEST_CASE("an answer may go on until it is ended") {
    const auto stream = std::make_shared<Stream>(1'024);
    const auto server = started({}, [&](http::Request, http::Respond respond) {
      http::Response response;
      response.stream = stream;
      respond(std::move(response));
    });
    test::RawClient client(server->port());
    REQUIRE(client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    CHECK(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    for (const auto* part : {"first", "second"}) {
      REQUIRE(stream->write(part));
      CHECK(client.receive_until(part).find(part) != std::string::npos);
    }
    CHECK(server->figures().requests_in_flight == 1);
    stream->end();
    CHECK(client.receive_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
    CHECK_FALSE(stream->write("third"));
  }

  TEST_CASE("a stream whose client is gone, or does not read, ends") {
    const auto stream = std::make_shared<Stream>(1'024 * 1'024);
    const auto server = started({}, [&](http::Request, http::Respond respond) {
      http::Response response;
      response.stream = stream;
      respond(std::move(response));
    });
    {
      test::RawClient client(server->port());
      REQUIRE(client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
      CHECK(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
      // More than the connection and the buffer hold together, sooner or later.
      const std::string part(64 * 1'024, 'x');
      while (stream->write(part)) std::this_thread::yield();
    }
    while (server->figures().requests_in_flight > 0) std::this_thread::yield();
    CHECK_FALSE(stream->is_open());
  }

  TEST_CASE("stopping ends the answers that go on") {
    std::vector<std::shared_ptr<Stream>> streams;
    std::mutex mutex;
    const auto server = started({}, [&](http::Request, http::Respond respond) {
      http::Response response;
      response.stream = std::make_shared<Stream>(1'024);
      const std::lock_guard lock(mutex);
      streams.push_back(response.stream);
      respond(std::move(response));
    });
    test::RawClient client(server->port());
    REQUIRE(client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    CHECK(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    server->stop();
    CHECK(client.receive_until("0\r\n\r\n").ends_with("0\r\n\r\n"));
    CHECK_FALSE(streams.at(0)->is_open());
  }

  TEST_CASE("a handler may answer later, from another thread") {
    Holder holder;
    const auto server = started({}, holder.handler());
    auto response = std::async([&] { return fetch({.url = url_of(*server, "/")}); });
    holder.wait_for(1);
    CHECK(server->figures().requests_in_flight == 1);
    holder.answer_all();
    const auto got = response.get();
    REQUIRE(got);
    CHECK(got->body == "late");
  }

  TEST_CASE("many requests on many connections, answered from threads, all arrive") {
    std::vector<std::thread> threads;
    std::mutex mutex;
    const auto server = started({.threads = 2}, [&](http::Request request, http::Respond respond) {
      const std::lock_guard lock(mutex);
      threads.emplace_back([body = request.body, respond] { respond(text(body)); });
    });
    std::vector<std::future<int>> clients;
    for (int client = 0; client < 8; ++client) {
      clients.push_back(std::async(std::launch::async, [&, client] {
        int good = 0;
        for (int turn = 0; turn < 50; ++turn) {
          const auto body = std::to_string(client) + ":" + std::to_string(turn);
          const auto got = fetch({.method = "POST", .url = url_of(*server, "/"), .body = body});
          if (got && got->body == body) ++good;
        }
        return good;
      }));
    }
    for (auto& client : clients) CHECK(client.get() == 50);
    for (auto& thread : threads) thread.join();
  }

  // libmicrohttpd 0.9.75 looks at 128 events at a time, and waits for more after a full hand.
  TEST_CASE("any number of requests that come at once is answered") {
    std::promise<void> all_sent;
    auto sent = all_sent.get_future();
    const auto server = started({}, holding(sent, echo));
    std::vector<test::RawClient> clients;
    for (int i = 0; i < 128; ++i) {
      auto& client = clients.emplace_back(server->port());
      client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\n");
      REQUIRE(client.receive_until("GET /first|").find("200 OK") != std::string::npos);
    }
    test::RawClient first(server->port());
    first.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto held_by = std::chrono::steady_clock::now() + 10s;
    while (server->figures().requests < 129 && std::chrono::steady_clock::now() < held_by) {
      std::this_thread::yield();
    }
    REQUIRE(server->figures().requests == 129);
    for (auto& client : clients) client.send("GET /second HTTP/1.1\r\nHost: x\r\n\r\n");
    all_sent.set_value();
    CHECK(first.receive_until("GET /hold|").find("200 OK") != std::string::npos);
    for (auto& client : clients) {
      REQUIRE(client.receive_until("GET /second|").find("200 OK") != std::string::npos);
    }
  }

  TEST_CASE("a connection is kept for the next request") {
    const auto server = started({}, echo);
    test::RawClient client(server->port());
    for (int turn = 0; turn < 3; ++turn) {
      CHECK(client.send("GET /again HTTP/1.1\r\nHost: x\r\n\r\n"));
      CHECK(client.receive_until("GET /again|").find("200 OK") != std::string::npos);
    }
    CHECK(server->figures().requests == 3);
    CHECK(server->figures().connections == 1);
  }

  TEST_CASE("stop answers what is held, and what is answered afterwards goes nowhere") {
    Holder holder;
    auto server = started({}, holder.handler());
    auto response = std::async([&] { return fetch({.url = url_of(*server, "/")}); });
    holder.wait_for(1);
    server->stop();
    const auto got = response.get();
    REQUIRE(got);
    CHECK(got->status == 503);
    holder.answer_all();
    server.reset();
  }

  TEST_CASE("after quiesce nobody new comes in, and what is in flight is answered") {
    Holder holder;
    const auto server = started({}, holder.handler());
    auto response = std::async([&] { return fetch({.url = url_of(*server, "/")}); });
    holder.wait_for(1);
    server->quiesce();
    CHECK_FALSE(fetch({.url = url_of(*server, "/"), .timeout = 2s}));
    holder.answer_all();
    const auto got = response.get();
    REQUIRE(got);
    CHECK(got->body == "late");
  }

  TEST_CASE("a port that is another's is named with the reason") {
    const auto server = started({}, echo);
    const auto second = Server::start({.port = server->port()}, echo);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::locked);
    CHECK(second.error().detail.find(std::to_string(server->port())) != std::string::npos);
    const auto nowhere = Server::start({.host = "no.such.host.invalid"}, echo);
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.error().code == ErrorCode::invalid_argument);
  }

  TEST_CASE("a certificate that is none is refused") {
    const auto server = Server::start({.tls_cert = "none", .tls_key = "none"}, echo);
    REQUIRE_FALSE(server);
    CHECK(server.error().code == ErrorCode::invalid_argument);
  }

  TEST_CASE("fetch does not wait for a lookup beyond its time") {
    const auto url = std::string("http://") + test::kSilentHost + "/";
    CHECK_FALSE(fetch({.url = url, .timeout = 200ms}));
    CHECK(test::silent_lookups_begun() == 1);
    CHECK(test::silent_lookups_ended() == 0);
    test::end_silent_lookups();
  }

  TEST_CASE("fetch says why there is no answer") {
    const auto refused = fetch({.url = "http://127.0.0.1:1/"});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::storage);
    CHECK(refused.error().detail.find("127.0.0.1") != std::string::npos);
    const auto no_url = fetch({.url = "ftp://127.0.0.1/"});
    REQUIRE_FALSE(no_url);
    CHECK(no_url.error().code == ErrorCode::invalid_argument);
  }
}

}  // namespace belay::http
