// `belay serve` under the signals that operators and their scripts send.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "served.h"
#include "support/certificates.h"
#include "support/http_peer.h"

using namespace std::chrono_literals;

namespace belay::test {
namespace {

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

void copy_file(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

http::Fields bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }

}  // namespace

TEST_SUITE("process/serve signals") {
  TEST_CASE("SIGUSR1, SIGUSR2 and SIGHUP do not end it") {
    Served served;
    REQUIRE(served.listening());
    for (const int signal : {SIGUSR1, SIGUSR2, SIGHUP}) served.process().kill(signal);
    CHECK(served.process().wait_for_output("SIGHUP"));
    CHECK(status_of(served.get("/healthz")) == 200);
    CHECK(served.stop().exit_code == 0);
  }

  TEST_CASE("SIGHUP reads the tokens again; a broken file leaves the old ones") {
    const TempDir dir;
    const auto path = dir.file("tokens");
    write_file(path, "first\n");
    Served served({"--token-file", path});
    REQUIRE(served.listening());
    write_file(path, "second\nthird\n");
    CHECK(status_of(served.get("/metrics", bearer("first"))) == 200);
    served.process().kill(SIGHUP);
    REQUIRE(served.process().wait_for_output("2 tokens were read again"));
    CHECK(status_of(served.get("/metrics", bearer("first"))) == 401);
    CHECK(status_of(served.get("/metrics", bearer("second"))) == 200);
    write_file(path, "\n# none\n");
    served.process().kill(SIGHUP);
    REQUIRE(
        served.process().wait_for_output("the tokens stay as they were: --token-file: there is "
                                         "no token in"));
    CHECK(status_of(served.get("/metrics", bearer("third"))) == 200);
    CHECK(status_of(served.get("/metrics")) == 401);
    const auto end = served.stop();
    CHECK(end.exit_code == 0);
    CHECK_FALSE(contains(end.err, "third"));
  }

  TEST_CASE(
      "SIGHUP under load reads certificate, key and authority again; broken ones leave the old") {
    const Authority first;
    const Authority second;
    for (const auto* authority : {&first, &second}) {
      REQUIRE(authority->vouch_for("server"));
      REQUIRE(authority->vouch_for("client"));
    }
    const TempDir dir;
    const auto install = [&](const Authority& authority) {
      copy_file(authority.cert("server"), dir.file("cert"));
      copy_file(authority.key("server"), dir.file("key"));
      copy_file(authority.ca(), dir.file("ca"));
    };
    install(first);
    Served served({"--tls-cert", dir.file("cert"), "--tls-key", dir.file("key"), "--tls-client-ca",
                   dir.file("ca")});
    REQUIRE(served.listening());
    const auto ping = [&](const Authority& authority) {
      return status_of(http::fetch({.url = served.url("/api/ping", "https"),
                                    .ca_file = authority.ca(),
                                    .cert_file = authority.cert("client"),
                                    .key_file = authority.key("client")}));
    };
    CHECK(ping(first) == 200);
    CHECK(ping(second) == 0);

    std::atomic<bool> over{false};
    std::atomic<int> answered{0};
    std::thread load([&] {
      while (!over) answered += ping(first) == 200 || ping(second) == 200 ? 1 : 0;
    });
    while (answered == 0) std::this_thread::yield();
    install(second);
    served.process().kill(SIGHUP);
    CHECK(served.process().wait_for_output("the TLS certificates were read again"));
    CHECK(ping(second) == 200);
    CHECK(ping(first) == 0);
    copy_file(first.key("server"), dir.file("key"));  // another certificate's
    served.process().kill(SIGHUP);
    CHECK(served.process().wait_for_output("the TLS certificates stay as they were"));
    CHECK(ping(second) == 200);
    over = true;
    load.join();
    CHECK(served.stop().exit_code == 0);
  }

  TEST_CASE("a drain answers until its deadline, however long a call may take") {
    HttpPeer peer([](const PeerRequest&) {
      auto answer = say(200);
      answer.parts.insert(answer.parts.begin(), "");
      answer.pause_ms = 500;
      return answer;
    });
    Served served({"--request-timeout", "1h", "--drain-timeout", "60s"});
    REQUIRE(served.listening());
    auto waiting = std::async(
        [&] { return served.submit(saga_to("g1", peer.url("/a"), R"(,"wait_result":true)")); });
    REQUIRE(peer.got(1));
    served.process().kill(SIGTERM);
    CHECK(status_of(waiting.get()) == 200);
    const auto end = served.process().wait();
    CHECK(end.exit_code == 0);
    CHECK(contains(end.err, "stopped"));
  }

  TEST_CASE("who waits for a result at the deadline is told to come again") {
    HttpPeer peer([](const PeerRequest&) { return nothing(); });
    Served served({"--request-timeout", "1h", "--drain-timeout", "1s"});
    REQUIRE(served.listening());
    auto waiting = std::async(
        [&] { return served.submit(saga_to("g1", peer.url("/a"), R"(,"wait_result":true)")); });
    REQUIRE(peer.got(1));
    served.process().kill(SIGTERM);
    CHECK(status_of(waiting.get()) == 503);
    CHECK(served.process().wait().exit_code == 0);
  }
}

}  // namespace belay::test
