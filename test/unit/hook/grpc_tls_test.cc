// TLS under gRPC, against gRPC C++: who is believed, and who is told who calls.
#include <doctest/doctest.h>

#include <fstream>
#include <string>

#include "serve/http/server.h"
#include "support/certificates.h"
#include "support/grpc_service.h"
#include "unit/h2/client_site.h"
#include "unit/hook/hook_site.h"
#include "unit/hook/text_of.h"

namespace belay::test {
namespace {

const Authority& grpc_authority() {
  static const Authority one;
  static const bool vouched = one.vouch_for("server") && one.vouch_for("client");
  REQUIRE(vouched);
  return one;
}

GrpcService::Tls server_tls(bool asks_for_client = false) {
  const auto& one = grpc_authority();
  return {text_of(one.cert("server")), text_of(one.key("server")),
          asks_for_client ? text_of(one.ca()) : ""};
}

HookOptions trusting() {
  HookOptions options;
  options.ca_file = grpc_authority().ca();
  return options;
}

}  // namespace

TEST_SUITE("hook/grpc_tls") {
  TEST_CASE("a real service is called in the clear and with TLS, many calls on one connection") {
    const GrpcService clear;
    const auto tls = server_tls();
    const GrpcService secure(&tls);
    HookSite site(trusting());
    for (int i = 0; i < 50; ++i) {
      site.start(clear.target("grpc"));
      site.start(secure.target("grpcs"));
    }
    CHECK(site.run_until([&] { return site.answers() == 100; }));
    for (ports::CallId id = 1; id <= 100; ++id)
      CHECK(site.answer(id).kind() == OutcomeKind::success);
    CHECK(clear.calls() == 50);
    CHECK(secure.calls() == 50);
  }

  TEST_CASE("a payload of several megabytes goes through TLS") {
    const auto tls = server_tls();
    const GrpcService secure(&tls);
    HookSite site(trusting());
    const std::string large(3 * 1024 * 1024, 'x');
    CHECK(site.answer(site.start(secure.target("grpcs"), HookSite::kLong, large)).kind() ==
          OutcomeKind::success);
  }

  TEST_CASE("one that nobody vouches for, or that has another name, sees no call") {
    const auto tls = server_tls();
    const GrpcService secure(&tls);
    HookSite nobody;
    const auto unknown = nobody.told(secure.target("grpcs"));
    CAPTURE(unknown);
    CHECK(unknown.starts_with("unknown: no connection: its certificate is refused: "));
    HookSite site(trusting());
    const auto other = site.told(secure.target("grpcs", "localhost"));
    CAPTURE(other);
    CHECK(other.starts_with("unknown: no connection: its certificate is refused: "));
    CHECK(secure.calls() == 0);
  }

  TEST_CASE("a service that asks who calls is shown the client's certificate") {
    const auto tls = server_tls(true);
    const GrpcService secure(&tls);
    HookSite stranger(trusting());
    CHECK(stranger.told(secure.target("grpcs")).starts_with("unknown: no "));
    CHECK(secure.calls() == 0);
    auto options = trusting();
    options.client_cert_file = grpc_authority().cert("client");
    options.client_key_file = grpc_authority().key("client");
    HookSite site(options);
    CHECK(site.told(secure.target("grpcs")) == "success");
  }

  TEST_CASE("files that are replaced are read again for new connections") {
    const auto tls = server_tls(true);
    const GrpcService secure(&tls);
    const auto target = secure.target("grpcs");
    const Authority stranger;
    REQUIRE(stranger.vouch_for("client"));
    const TempDir dir;
    const auto put = [&](const std::string& name, const std::string& from) {
      std::ofstream(dir.file(name)) << text_of(from);
    };
    const auto put_client = [&](const Authority& authority) {
      put("client.pem", authority.cert("client"));
      put("client.key", authority.key("client"));
    };
    put("ca.pem", stranger.ca());
    put_client(stranger);
    h2::ClientOptions options;
    options.tls = {dir.file("ca.pem"), dir.file("client.pem"), dir.file("client.key")};
    options.tls_ms = 0;
    ClientSite site(options);
    CHECK(site.told(target).starts_with("its certificate is refused: "));
    put("ca.pem", grpc_authority().ca());
    const auto unknown_client = site.told(target);
    CHECK(unknown_client != "complete");
    CHECK_FALSE(unknown_client.starts_with("its certificate is refused: "));
    CHECK(secure.calls() == 0);
    put_client(grpc_authority());
    CHECK(site.told(target) == "complete");
    CHECK(secure.calls() == 1);
  }

  TEST_CASE("they are read again after their time, and not before") {
    h2::TlsContext context({grpc_authority().ca(), "", ""}, 60'000);
    const auto first = context.get(1'000);
    REQUIRE(first);
    CHECK(*context.get(60'999) == *first);
    const auto second = context.get(61'000);
    REQUIRE(second);
    CHECK(*second != *first);
    CHECK(*context.get(120'999) == *second);
  }

  TEST_CASE(
      "TLS to a service in the clear is no connection, and the clear to one with TLS no yes") {
    const GrpcService clear;
    const auto tls = server_tls();
    const GrpcService secure(&tls);
    HookSite site(trusting());
    CHECK(site.told(clear.target("grpcs")).starts_with("unknown: no connection: "));
    CHECK(site.told(secure.target("grpc")).starts_with("unknown: no "));
  }

  TEST_CASE("a server with TLS that has no HTTP/2 is told so") {
    http::ServerOptions options;
    options.tls_cert = text_of(grpc_authority().cert("server"));
    options.tls_key = text_of(grpc_authority().key("server"));
    auto server = http::Server::start(
        options, [](const http::Request&, const http::Respond& respond) { respond({}); });
    REQUIRE(server);
    HookSite site(trusting());
    const auto outcome =
        site.told("grpcs://127.0.0.1:" + std::to_string((*server)->port()) + "/a.B/C");
    CAPTURE(outcome);
    CHECK(outcome.starts_with("unknown: no connection: "));
  }
}

}  // namespace belay::test
