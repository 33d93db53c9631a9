// TLS, and clients that have to say who they are.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "raw_client.h"
#include "serve/http/client.h"
#include "serve/http/server.h"
#include "support/certificates.h"

using namespace std::chrono_literals;

namespace belay::http {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TlsServer {
 public:
  enum class Clients { any, certified };
  explicit TlsServer(Clients clients, Millis request_timeout = 10s) {
    REQUIRE(authority.vouch_for("server"));
    REQUIRE(authority.vouch_for("client"));
    ServerOptions options{.request_timeout = request_timeout,
                          .tls_cert = text_of(authority.cert("server")),
                          .tls_key = text_of(authority.key("server"))};
    if (clients == Clients::certified) options.tls_client_ca = text_of(authority.ca());
    auto started =
        Server::start(options, [](http::Request, http::Respond respond) { respond({}); });
    REQUIRE_MESSAGE(started, (started ? "" : started.error().detail));
    server = std::move(*started);
  }
  ClientRequest request() const {
    return {.url = "https://127.0.0.1:" + std::to_string(server->port()) + "/",
            .ca_file = authority.ca()};
  }

  test::Authority authority;
  std::unique_ptr<Server> server;
};

}  // namespace

TEST_SUITE("http tls") {
  TEST_CASE("whoever trusts the server's authority gets an answer, others do not ask") {
    const TlsServer tls(TlsServer::Clients::any);
    const auto response = fetch(tls.request());
    REQUIRE_MESSAGE(response, (response ? "" : response.error().detail));
    CHECK(response->status == 200);
    auto distrustful = tls.request();
    distrustful.ca_file.clear();
    CHECK_FALSE(fetch(distrustful));
  }

  TEST_CASE("without a certificate of the clients' authority there is no answer") {
    const TlsServer tls(TlsServer::Clients::certified);
    CHECK_FALSE(fetch(tls.request()));
    auto certified = tls.request();
    certified.cert_file = tls.authority.cert("client");
    certified.key_file = tls.authority.key("client");
    const auto response = fetch(certified);
    REQUIRE_MESSAGE(response, (response ? "" : response.error().detail));
    CHECK(response->status == 200);
    const test::Authority other;
    REQUIRE(other.vouch_for("client"));
    auto foreign = tls.request();
    foreign.cert_file = other.cert("client");
    foreign.key_file = other.key("client");
    CHECK_FALSE(fetch(foreign));
    CHECK(tls.server->figures().requests == 1);
  }

  TEST_CASE("a key that is stolen later opens no recorded connection: forward secrecy only") {
    const test::Authority authority;
    REQUIRE(authority.vouch_for_rsa("server"));
    const auto server = Server::start({.tls_cert = text_of(authority.cert("server")),
                                       .tls_key = text_of(authority.key("server"))},
                                      [](http::Request, http::Respond respond) { respond({}); });
    REQUIRE(server);
    const auto is_taken = [&](std::vector<std::string> offer) {
      std::vector<std::string> argv = {"/usr/bin/openssl", "s_client", "-connect",
                                       "127.0.0.1:" + std::to_string((*server)->port())};
      argv.insert(argv.end(), offer.begin(), offer.end());
      return test::run({.argv = argv}).exit_code == 0;
    };
    CHECK(is_taken({"-tls1_3"}));
    for (const std::string good : {"ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"})
      CHECK_MESSAGE(is_taken({"-tls1_2", "-cipher", good}), good);
    for (const std::string bad : {"AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES128-SHA"})
      CHECK_MESSAGE(!is_taken({"-tls1_2", "-cipher", bad}), bad);
    CHECK_FALSE(is_taken({"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}));
  }

  TEST_CASE("certificate and authority are replaced while it runs, and what does not fit is not") {
    const TlsServer tls(TlsServer::Clients::certified);
    const test::Authority next;
    for (const auto* name : {"server", "client"}) REQUIRE(next.vouch_for(name));
    const auto status = [&](const test::Authority& authority) {
      auto request = tls.request();
      request.ca_file = authority.ca();
      request.cert_file = authority.cert("client");
      request.key_file = authority.key("client");
      const auto response = fetch(request);
      return response ? response->status : 0;
    };
    CHECK(status(tls.authority) == 200);
    const auto cert = text_of(next.cert("server"));
    const auto key = text_of(next.key("server"));
    const auto ca = text_of(next.ca());
    const auto refused = [&](const std::string& some_cert, const std::string& some_key,
                             const std::string& some_ca) {
      const auto replaced = tls.server->replace_tls(some_cert, some_key, some_ca);
      return !replaced && replaced.error().code == ErrorCode::invalid_argument;
    };
    CHECK(refused("", "", ""));
    CHECK(refused(cert, text_of(tls.authority.key("server")), ca));
    CHECK(refused(cert, "garbage", ca));
    CHECK(refused(cert, key, "garbage"));
    CHECK(status(tls.authority) == 200);
    CHECK(status(next) == 0);
    REQUIRE(tls.server->replace_tls(cert, key, ca));
    CHECK(status(next) == 200);
    CHECK(status(tls.authority) == 0);
    REQUIRE(tls.server->replace_tls(cert, key, ""));
    auto anybody = tls.request();
    anybody.ca_file = next.ca();
    CHECK(fetch(anybody).has_value());
  }

  TEST_CASE("without TLS at the start there is none later") {
    const auto server =
        Server::start({}, [](http::Request, http::Respond respond) { respond({}); });
    REQUIRE(server);
    const test::Authority authority;
    REQUIRE(authority.vouch_for("server"));
    CHECK_FALSE((*server)->replace_tls(text_of(authority.cert("server")),
                                       text_of(authority.key("server")), ""));
  }

  TEST_CASE("who speaks no TLS, or never ends the handshake, is ended") {
    const TlsServer tls(TlsServer::Clients::any, 300ms);
    test::RawClient plain(tls.server->port());
    plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(plain.ended());
    test::RawClient silent(tls.server->port());
    CHECK(silent.ended());
    CHECK(fetch(tls.request()));
  }
}

}  // namespace belay::http
