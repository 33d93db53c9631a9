// What `belay serve` is told, and what it refuses.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "serve/grpc/door.h"
#include "serve/option_words.h"
#include "serve/read_file.h"
#include "serve/settings.h"
#include "support/process.h"

namespace belay::tool {
namespace {

std::string wrong_with(ServeSettings settings) {
  Tokens tokens;
  return complete(settings, tokens).value_or("");
}

ServeSettings listening_on(const std::string& address) {
  ServeSettings settings;
  settings.listen = address;
  return settings;
}

}  // namespace

TEST_SUITE("serve/settings") {
  TEST_CASE("an address is a host and a port") {
    CHECK(parse_address("127.0.0.1:36789")->port == 36'789);
    CHECK(parse_address("[::1]:0")->host == "::1");
    CHECK(parse_address("localhost:1")->host == "localhost");
    for (const auto* bad : {"", "127.0.0.1", ":36789", "::1:5", "[]:5", "x:65536", "x:", "x:y"}) {
      CHECK_MESSAGE(!parse_address(bad), bad);
    }
  }

  TEST_CASE("beyond this machine a token is needed, or the word that none is") {
    for (const auto* near : {"127.0.0.1:1", "127.8.8.8:1", "localhost:1", "[::1]:1"}) {
      CHECK_MESSAGE(wrong_with(listening_on(near)) == "", near);
    }
    for (const auto* far : {"0.0.0.0:1", "192.0.2.1:1", "[::]:1"}) {
      auto settings = listening_on(far);
      CHECK_MESSAGE(wrong_with(settings).find("--token-file") != std::string::npos, far);
      settings.insecure = true;
      CHECK_MESSAGE(wrong_with(settings) == "", far);
    }
  }

  TEST_CASE("an authority of clients protects as a token does") {
    const test::TempDir dir;
    std::ofstream(dir.file("pem")) << "text";
    auto settings = listening_on("0.0.0.0:1");
    settings.tls_cert_file = settings.tls_key_file = dir.file("pem");
    CHECK(wrong_with(settings).find("--tls-client-ca") != std::string::npos);
    settings.tls_client_ca_file = dir.file("pem");
    CHECK(wrong_with(settings) == "");
  }

  TEST_CASE("probes get a listener of their own, without TLS and with little room") {
    const test::TempDir dir;
    std::ofstream(dir.file("pem")) << "text";
    ServeSettings settings;
    settings.tls_cert_file = settings.tls_key_file = dir.file("pem");
    Tokens tokens;
    CHECK_FALSE(complete(settings, tokens));
    CHECK_FALSE(settings.probe_http);
    settings.probe_listen = "0.0.0.0:2";
    CHECK_FALSE(complete(settings, tokens));
    REQUIRE(settings.probe_http);
    CHECK(settings.probe_http->host == "0.0.0.0");
    CHECK(settings.probe_http->port == 2);
    CHECK(settings.probe_http->tls_cert.empty());
    CHECK(settings.probe_http->connections_max <= 64);
    CHECK(settings.http.tls_cert == "text");
    settings.probe_listen = "2";
    CHECK(wrong_with(settings).find("--probe-listen") == 0);
  }

  TEST_CASE("gRPC has its own port beside HTTP's default one, and elsewhere where it is told") {
    if (!door::is_built()) {
      auto settings = listening_on("127.0.0.1:1");
      settings.grpc_listen = "127.0.0.1:2";
      CHECK(wrong_with(settings) == "--grpc-listen: this belay was built without gRPC");
      return;
    }
    Tokens tokens;
    ServeSettings settings;
    CHECK_FALSE(complete(settings, tokens));
    REQUIRE(settings.grpc);
    CHECK(settings.grpc->port == 36'790);
    settings = listening_on("127.0.0.1:1");
    CHECK_FALSE(complete(settings, tokens));
    CHECK_FALSE(settings.grpc);
    settings.grpc_listen = "[::1]:2";
    settings.http.connections_max = 7;
    CHECK_FALSE(complete(settings, tokens));
    REQUIRE(settings.grpc);
    CHECK(settings.grpc->host == "::1");
    CHECK(settings.grpc->connections_max == 7);
    settings = {};
    settings.grpc_listen = "none";
    CHECK_FALSE(complete(settings, tokens));
    CHECK_FALSE(settings.grpc);
  }

  TEST_CASE("where gRPC may be reached from elsewhere a token is needed too") {
    if (!door::is_built()) return;
    auto settings = listening_on("127.0.0.1:1");
    settings.grpc_listen = "0.0.0.0:2";
    CHECK(wrong_with(settings).starts_with("0.0.0.0:2 can be reached from elsewhere"));
    settings.insecure = true;
    CHECK(wrong_with(settings) == "");
    settings.grpc_listen = "2";
    CHECK(wrong_with(settings) == "--grpc-listen: '2' is neither HOST:PORT nor none");
  }

  TEST_CASE("on loopback only loopback's names are allowed, elsewhere every name") {
    const auto allows = [](ServeSettings settings, std::string_view host) {
      settings.insecure = true;
      REQUIRE(wrong_with(settings) == "");
      Tokens tokens;
      complete(settings, tokens);
      return settings.hosts.contain(host);
    };
    CHECK_FALSE(allows(listening_on("127.0.0.1:1"), "evil.example"));
    CHECK(allows(listening_on("127.8.8.8:1"), "127.8.8.8:1"));
    CHECK(allows(listening_on("[::1]:1"), "[::1]:1"));
    CHECK(allows(listening_on("0.0.0.0:1"), "evil.example"));
    auto named = listening_on("0.0.0.0:1");
    named.allow_hosts = {"Belay.example."};
    CHECK(allows(named, "belay.example:1"));
    CHECK(allows(named, "localhost"));
    CHECK_FALSE(allows(named, "evil.example"));
    for (const auto* bad : {"", "a:1", "http://a", "a b", "[::1]:1", "*"}) {
      named.allow_hosts = {bad};
      CHECK_MESSAGE(wrong_with(named).find("--allow-host") == 0, bad);
    }
  }

  TEST_CASE("a token file is read, or what is wrong with it is said with the option") {
    const test::TempDir dir;
    auto settings = listening_on("0.0.0.0:1");
    settings.token_file = dir.file("tokens");
    CHECK(wrong_with(settings).find("--token-file: cannot read") == 0);
    std::ofstream(settings.token_file) << "one\ntwo two\n";
    CHECK(wrong_with(settings).find("--token-file: " + settings.token_file + ":2: ") == 0);
    std::ofstream(settings.token_file) << "one\n";
    Tokens tokens;
    CHECK_FALSE(complete(settings, tokens));
    CHECK(tokens.size() == 1);
  }

  TEST_CASE("a file is read whole, whatever its name turns out to be") {
    const test::TempDir dir;
    const auto path = dir.file("text");
    const auto code_of = [](const Result<std::string>& text) { return text.error().code; };
    CHECK(code_of(read_file(path)) == ErrorCode::not_found);
    CHECK(code_of(read_file(dir.path())) == ErrorCode::storage);
    std::ofstream(path) << std::string(100'000, 'x');
    CHECK(read_file(path)->size() == 100'000);
    CHECK(code_of(read_file(path, 99'999)) == ErrorCode::storage);
    const auto pipe = dir.file("pipe");
    REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
    CHECK(code_of(read_file(pipe, 10, Millis{20})) == ErrorCode::timed_out);
    std::thread writer([&] { std::ofstream(pipe) << "secret"; });
    CHECK(*read_file(pipe, 10, Millis{60'000}) == "secret");
    writer.join();
  }

  TEST_CASE("a file that its group or all users may read is noticed") {
    const test::TempDir dir;
    const auto path = dir.file("secret");
    CHECK_FALSE(others_may_read(path));
    std::ofstream(path) << "secret";
    for (const auto& [mode, exposed] :
         {std::pair<mode_t, bool>{0600, false}, {0640, true}, {0604, true}, {0422, false}}) {
      REQUIRE(chmod(path.c_str(), mode) == 0);
      CHECK(others_may_read(path) == exposed);
    }
  }

  TEST_CASE("a certificate needs its key, an authority of clients both") {
    ServeSettings settings;
    settings.tls_cert_file = "cert.pem";
    CHECK(wrong_with(settings).find("--tls-key") != std::string::npos);
    ServeSettings client;
    client.tls_client_ca_file = "ca.pem";
    CHECK(wrong_with(client).find("--tls-cert") != std::string::npos);
  }

  TEST_CASE("the alert webhook is a URL") {
    ServeSettings settings;
    for (const auto* good : {"", "http://alerts/x", "https://alerts"}) {
      settings.alert_webhook = good;
      CHECK_MESSAGE(wrong_with(settings) == "", good);
    }
    for (const auto* bad : {"alerts", "alerts.example/x", "ftp://alerts"}) {
      settings.alert_webhook = bad;
      CHECK_MESSAGE(wrong_with(settings).find("--alert-webhook") == 0, bad);
    }
  }

  TEST_CASE("alerts wait for a day at most") {
    ServeSettings settings;
    settings.alerts.wait = settings.alerts.interval = Millis{86'400'000};
    CHECK(wrong_with(settings) == "");
    settings.alerts.wait = Millis{86'400'001};
    CHECK(wrong_with(settings) == "--alert-wait: a day at most");
    settings.alerts.wait = Millis{0};
    settings.alerts.interval = Millis{86'400'001};
    CHECK(wrong_with(settings) == "--alert-interval: a day at most");
  }

  TEST_CASE("an error about a field speaks of its option; any other stays as it is") {
    const Error fields{ErrorCode::invalid_argument,
                       "with Limits::branches_max 0 and gid_bytes_max 1 a row of 'a_b'"};
    CHECK(in_option_words(fields) == "with --branches-max 0 and --gid-bytes-max 1 a row of 'a_b'");
    CHECK_FALSE(
        in_option_words({ErrorCode::locked, "/tmp/a_b/state.db is held by another engine"}));
    CHECK_FALSE(in_option_words({ErrorCode::invalid_argument, "/tmp/a_b is no state file"}));
    CHECK_FALSE(in_option_words({ErrorCode::storage, "it is full, see Options::a_b"}));
    CHECK(in_option_words({ErrorCode::storage, "HookOptions::ca_file: '/a_b' cannot be read"}) ==
          "--hook-ca-file: '/a_b' cannot be read");
  }

  TEST_CASE("link-local targets are refused unless allowed") {
    ServeSettings settings;
    Tokens tokens;
    CHECK_FALSE(complete(settings, tokens));
    CHECK(settings.engine.hooks.refuse_link_local);
    settings.allow_link_local = true;
    CHECK_FALSE(complete(settings, tokens));
    CHECK_FALSE(settings.engine.hooks.refuse_link_local);
  }
}

}  // namespace belay::tool
