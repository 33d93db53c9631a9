// `belay serve` from its start to its end, as a service manager and clients see it.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "served.h"
#include "support/certificates.h"
#include "support/http_peer.h"

using namespace std::chrono_literals;

namespace belay::test {
namespace {

using Json = nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// The datagrams of a program to its service manager.
class Manager {
 public:
  Manager() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof(address.sun_path) - 1);
    const void* any = &address;
    REQUIRE(bind(fd_, static_cast<const sockaddr*>(any), sizeof(address)) == 0);
    const timeval limit{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  }
  ~Manager() { ::close(fd_); }
  std::string path() const { return dir_.file("notify"); }
  std::string next() const {
    std::array<char, 256> text{};
    const auto size = recv(fd_, text.data(), text.size(), 0);
    return {text.data(), static_cast<std::size_t>(size < 0 ? 0 : size)};
  }

 private:
  TempDir dir_;
  int fd_;
};

}  // namespace

TEST_SUITE("process/serve") {
  TEST_CASE("it says when it is ready, answers, and ends with 0 at SIGTERM") {
    const Manager manager;
    Served served({}, {{"NOTIFY_SOCKET", manager.path()}});
    REQUIRE(served.listening());
    CHECK(manager.next() == "READY=1\nSTATUS=listening on " + served.url(""));
    CHECK(status_of(served.get("/api/ping")) == 200);
    CHECK(status_of(served.get("/healthz")) == 200);
    const auto metrics = served.get("/metrics");
    REQUIRE(metrics);
    CHECK(contains(metrics->body, "belay_transactions_live 0"));
    // Those of the requests before may be closing.
    CHECK(contains(metrics->body, "belay_http_connections "));
    CHECK_FALSE(contains(metrics->body, "belay_http_connections 0"));
    const auto end = served.stop();
    CHECK(manager.next() == "STOPPING=1");
    CHECK(end.exit_code == 0);
    CHECK(contains(end.err, "stopped"));
    CHECK(end.out == "");
  }

  TEST_CASE("logs are lines of text, or JSON objects with time, level and message") {
    Served text;
    REQUIRE(text.listening());
    CHECK(contains(text.stop().err, "info    listening url=http://127.0.0.1:"));
    Served json({"--log-format", "json"});
    REQUIRE(json.listening());
    const auto lines = lines_of(json.stop().err);
    CHECK(lines.size() >= 3);
    for (const auto& line : lines) {
      const auto object = Json::parse(line, nullptr, false);
      REQUIRE_MESSAGE(object.is_object(), line);
      CHECK(object.contains("time"));
      CHECK(object.contains("level"));
      CHECK(object.contains("message"));
    }
    Served quiet({"--log-level", "error"});
    while (status_of(quiet.get("/api/ping")) != 200) std::this_thread::yield();
    CHECK(quiet.stop().err == "");
  }

  TEST_CASE("with a token file a token is needed") {
    const TempDir dir;
    std::ofstream(dir.file("tokens")) << "secret-word\n";
    Served served({"--token-file", dir.file("tokens")});
    REQUIRE(served.listening());
    CHECK(status_of(served.get("/metrics")) == 401);
    CHECK(status_of(served.get("/metrics", {{"Authorization", "Bearer other"}})) == 401);
    CHECK(status_of(served.get("/metrics", {{"Authorization", "Bearer secret-word"}})) == 200);
    CHECK(status_of(served.get("/healthz")) == 200);
    CHECK_FALSE(contains(served.stop().err, "secret-word"));
  }

  TEST_CASE("with certificates it speaks TLS to those it knows") {
    const Authority authority;
    REQUIRE(authority.vouch_for("server"));
    REQUIRE(authority.vouch_for("client"));
    Served served({"--tls-cert", authority.cert("server"), "--tls-key", authority.key("server"),
                   "--tls-client-ca", authority.ca()});
    REQUIRE(served.listening());
    http::ClientRequest request{.url = served.url("/api/ping", "https"), .ca_file = authority.ca()};
    CHECK_FALSE(http::fetch(request));
    request.cert_file = authority.cert("client");
    request.key_file = authority.key("client");
    CHECK(status_of(http::fetch(request)) == 200);
    CHECK(served.stop().exit_code == 0);
  }

  TEST_CASE("a probe needs no certificate, and gets nothing else") {
    const Authority authority;
    REQUIRE(authority.vouch_for("server"));
    const auto port = std::to_string(free_port());
    Served served({"--tls-cert", authority.cert("server"), "--tls-key", authority.key("server"),
                   "--tls-client-ca", authority.ca(), "--probe-listen", "127.0.0.1:" + port});
    REQUIRE(served.process().wait_for_output("listening url="));
    const auto ask = [&](const std::string& method, const std::string& path) {
      return status_of(http::fetch({.method = method,
                                    .url = "http://127.0.0.1:" + port + path,
                                    .headers = {{"Host", "10.0.0.1"}}}));
    };
    CHECK(ask("GET", "/healthz") == 200);
    CHECK(ask("GET", "/api/ping") == 200);
    for (const auto* path : {"/", "/metrics", "/healthz/", "/api/dtmsvr/version"})
      CHECK_MESSAGE(ask("GET", path) == 404, path);
    CHECK(ask("POST", "/api/dtmsvr/submit") == 404);
    CHECK(ask("POST", "/api/json-rpc") == 404);
    const TempDir dir;
    const auto same_port =
        run(belay_spawn({"serve", "--db", dir.file("s.db"), "--listen", "127.0.0.1:0",
                         "--probe-listen", "127.0.0.1:" + port, "--log-level", "error"}));
    CHECK(same_port.exit_code == 5);
    CHECK(contains(same_port.err, "--probe-listen"));
    CHECK(served.stop().exit_code == 0);
  }

  TEST_CASE("a second server on the same file, or the same port, is told so in a line: 5") {
    Served served;
    REQUIRE(served.listening());
    const auto port = std::to_string(served.port());
    const auto same_file =
        run(belay_spawn({"serve", "--db", served.db(), "--listen", "127.0.0.1:0"}));
    CHECK(same_file.exit_code == 5);
    CHECK(lines_of(same_file.err).size() == 1);
    CHECK(contains(same_file.err, "state.db"));
    const TempDir dir;
    const auto same_port = run(belay_spawn({"serve", "--db", dir.file("other.db"), "--listen",
                                            "127.0.0.1:" + port, "--log-level", "error"}));
    CHECK(same_port.exit_code == 5);
    CHECK(lines_of(same_port.err).size() == 1);
    CHECK(contains(same_port.err, port));
    CHECK(served.stop().exit_code == 0);
  }

  TEST_CASE("a drain lets a call in flight finish, and answers who waits for it") {
    HttpPeer peer([](const PeerRequest&) {
      auto answer = say(200);
      answer.parts.insert(answer.parts.begin(), "");
      answer.pause_ms = 500;
      return answer;
    });
    Served served;
    REQUIRE(served.listening());
    auto waiting = std::async(
        [&] { return served.submit(saga_to("g1", peer.url("/a"), R"(,"wait_result":true)")); });
    REQUIRE(peer.got(1));
    served.process().kill(SIGTERM);
    const auto answer = waiting.get();
    CHECK(status_of(answer) == 200);
    CHECK(served.process().wait().exit_code == 0);
    const auto shown = run(belay_spawn({"list", "--json", "--db", served.db()}));
    CHECK(contains(shown.out, "succeed"));
  }

  TEST_CASE("what does not finish in time is parked, and the exit code is 0 all the same") {
    HttpPeer peer([](const PeerRequest&) { return nothing(); });
    Served served({"--drain-timeout", "1s", "--request-timeout", "1m"});
    REQUIRE(served.listening());
    CHECK(status_of(served.submit(saga_to("g1", peer.url("/a")))) == 200);
    REQUIRE(peer.got(1));
    const auto end = served.stop();
    CHECK(end.exit_code == 0);
    CHECK(contains(end.err, "the drain timeout passed"));
    const auto shown = run(belay_spawn({"list", "--json", "--db", served.db()}));
    CHECK(contains(shown.out, "submitted"));
  }

  TEST_CASE("SIGTERM under load: what was acknowledged is on disk") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    Served served({"--drain-timeout", "20s"});
    REQUIRE(served.listening());
    std::atomic<int> acknowledged{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> clients;
    for (int client = 0; client < 4; ++client) {
      clients.emplace_back([&, client] {
        for (int turn = 0; !over; ++turn) {
          const auto gid = std::to_string(client) + "-" + std::to_string(turn);
          const auto status = status_of(served.submit(saga_to(gid, peer.url("/a"))));
          if (status == 200) ++acknowledged;
          if (status == 0) return;
        }
      });
    }
    while (acknowledged < 100) std::this_thread::yield();
    const auto end = served.stop();
    over = true;
    for (auto& client : clients) client.join();
    CHECK(end.exit_code == 0);
    const auto shown =
        run(belay_spawn({"list", "--json", "--db", served.db(), "--limit", "1000000"}));
    CHECK(static_cast<int>(lines_of(shown.out).size()) >= acknowledged);
    CHECK(run(belay_spawn({"check", "--db", served.db()})).exit_code == 0);
  }
}

}  // namespace belay::test
