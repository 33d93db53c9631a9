// TLS: who is believed, who is told who calls, and HTTP/2 where it is offered.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "serve/http/server.h"
#include "support/certificates.h"
#include "support/process.h"
#include "unit/hook/hook_site.h"
#include "unit/hook/text_of.h"

namespace belay::test {

using namespace std::chrono_literals;

namespace {

const Authority& authority() {
  static const Authority one;
  static const bool vouched = one.vouch_for("server") && one.vouch_for("client");
  REQUIRE(vouched);
  return one;
}

// Says yes to whoever gets through.
class SecurePeer {
 public:
  explicit SecurePeer(bool asks_for_client = false) {
    http::ServerOptions options;
    options.tls_cert = text_of(authority().cert("server"));
    options.tls_key = text_of(authority().key("server"));
    if (asks_for_client) options.tls_client_ca = text_of(authority().ca());
    auto started = http::Server::start(options, [this](http::Request, http::Respond respond) {
      ++requests_;
      respond({});
    });
    REQUIRE_MESSAGE(started.has_value(), (started ? "" : started.error().detail));
    server_ = std::move(*started);
  }
  std::string url(std::string_view host = "127.0.0.1") const {
    return "https://" + std::string(host) + ":" + std::to_string(server_->port()) + "/";
  }
  int requests() const { return requests_; }

 private:
  std::atomic<int> requests_ = 0;
  std::unique_ptr<http::Server> server_;
};

HookOptions with_ca() {
  HookOptions options;
  options.ca_file = authority().ca();
  return options;
}

HookOptions with_client() {
  auto options = with_ca();
  options.client_cert_file = authority().cert("client");
  options.client_key_file = authority().key("client");
  return options;
}

}  // namespace

TEST_SUITE("hook/tls") {
  TEST_CASE("a server whose certificate the CA file vouches for is called") {
    SecurePeer peer;
    HookSite site(with_ca());
    CHECK(site.told(peer.url()) == "success");
    CHECK(peer.requests() == 1);
  }

  TEST_CASE("one that nobody vouches for, or that has another name, sees no request") {
    SecurePeer peer;
    HookSite stranger;
    const auto outcome = stranger.call(peer.url());
    CHECK(outcome.kind() == OutcomeKind::unknown);
    CHECK(outcome.reason().find("certificate") != std::string::npos);
    HookSite site(with_ca());
    // The same address, by a name that is not in the certificate.
    CHECK(site.call(peer.url("127.0.0.2")).kind() == OutcomeKind::unknown);
    CHECK(site.call(peer.url("[::ffff:127.0.0.1]")).kind() == OutcomeKind::unknown);
    CHECK(peer.requests() == 0);
  }

  TEST_CASE("a server that asks who calls is shown the client's certificate") {
    SecurePeer peer(true);
    HookSite nobody(with_ca());
    CHECK(nobody.call(peer.url(), 3s).kind() == OutcomeKind::unknown);
    CHECK(peer.requests() == 0);
    HookSite client(with_client());
    CHECK(client.told(peer.url()) == "success");
    CHECK(peer.requests() == 1);
  }

  TEST_CASE("a server that speaks no TLS is no answer, and so is one that only does") {
    http::ServerOptions options;
    auto plain =
        http::Server::start(options, [](http::Request, http::Respond respond) { respond({}); });
    REQUIRE(plain);
    HookSite site(with_ca());
    const auto host = "https://127.0.0.1:" + std::to_string((*plain)->port());
    const auto told = site.told(host + "/", 3s);
    CHECK_MESSAGE(told.starts_with("unknown: no connection: "), told);
    CHECK(site.figures(host).no_connection == 1);
    SecurePeer secure;
    auto url = secure.url();
    url.replace(0, 5, "http");
    CHECK(site.call(url, 3s).kind() == OutcomeKind::unknown);
    CHECK(secure.requests() == 0);
  }

  TEST_CASE("HTTP/2 is spoken where it is offered, many calls on one connection") {
    const std::string script = R"(
      const fs = require('fs'), http2 = require('http2');
      const [cert, key, port_file] = process.argv.slice(1);
      let connections = 0;
      const server = http2.createSecureServer(
          {cert: fs.readFileSync(cert), key: fs.readFileSync(key)});
      server.on('session', () => ++connections);
      server.on('request', (request, response) => {
        response.statusCode = 409;
        response.end(request.httpVersion + ' on ' + connections);
      });
      server.listen(0, '127.0.0.1', () => {
        fs.writeFileSync(port_file, String(server.address().port));
        console.log('listening');
      });
      setInterval(() => { if (process.ppid === 1) process.exit(1); }, 200);
    )";
    const TempDir dir;
    Process node({.argv = {"/usr/bin/env", "node", "-e", script, authority().cert("server"),
                           authority().key("server"), dir.file("port")}});
    REQUIRE(node.wait_for_output("listening"));
    const auto url = "https://127.0.0.1:" + text_of(dir.file("port")) + "/";
    HookSite site(with_ca());
    std::vector<ports::CallId> ids;
    for (int i = 0; i < 50; ++i) ids.push_back(site.start(url));
    for (const auto id : ids) CHECK(site.answer(id).reason() == "2.0 on 1");
  }
}

}  // namespace belay::test
