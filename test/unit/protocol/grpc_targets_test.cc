// Goal: what dtm's gRPC clients write as a target is called by gRPC and shown as they wrote it.
// Method: the functions that translate, with every form of a target.
#include <doctest/doctest.h>

#include "serve/protocol/describe.h"
#include "serve/protocol/reason.h"
#include "serve/protocol/rows.h"
#include "unit/protocol/api_site.h"

namespace belay::test {
namespace {

Result<std::string> grpc_target(std::string_view url) {
  return protocol::target_of("action", url, "grpc", {});
}

TransactionRow row_of(const std::string& steps) {
  TransactionRow row;
  row.gid = "g";
  row.mode = Mode::saga;
  row.definition = R"({"steps":)" + steps + "}";
  return row;
}

Json shown(const std::string& steps) {
  return protocol::transaction_json(row_of(steps), protocol::Secrets::hidden);
}

}  // namespace

TEST_SUITE("protocol/grpc_targets") {
  TEST_CASE("a target is translated, or refused with the name of its field") {
    for (const auto* same : {"", "http://h/x", "HTTPS://h/x", "grpc://h:1/S/M", "GRPCS://h:1/S/M",
                             "etcd://h:1/k/S/M", "dns:///h:1/S/M"})
      CHECK_MESSAGE(*grpc_target(same) == same, same);
    CHECK(*grpc_target("h:1/busi.Busi/In") == "grpc://h:1/busi.Busi/In");
    CHECK(*grpc_target("[::1]:1/S/M") == "grpc://[::1]:1/S/M");
    for (const auto* wrong : {"busi", "h:1", "/S/M"}) {
      const auto target = grpc_target(wrong);
      REQUIRE_MESSAGE(!target, wrong);
      CHECK(target.error().code == ErrorCode::invalid_argument);
      CHECK(target.error().detail.starts_with("action: '" + std::string(wrong) + "' is neither"));
    }
  }

  TEST_CASE("without the protocol grpc a target is as before") {
    CHECK(*protocol::target_of("a", "http://h/x?method=y", "json-rpc", {}) ==
          "jsonrpc+http://h/x?method=y");
    for (const auto* protocol : {"", "http", "json-rpc"})
      CHECK_FALSE(protocol::target_of("a", "h:1/S/M", protocol, {}));
  }

  TEST_CASE("a topic's message names its field too, and topics stay") {
    protocol::TransactionRequest request;
    request.gid = "g";
    request.trans_type = "msg";
    request.protocol = "grpc";
    request.steps = {{"topic://news", ""}};
    request.payloads = {""};
    CHECK(protocol::describe(request, {}));
    request.steps.push_back({"nowhere", ""});
    request.payloads.emplace_back();
    const auto described = protocol::describe(request, {});
    REQUIRE_FALSE(described);
    CHECK(described.error().detail.starts_with("step 2: action: 'nowhere'"));
  }

  TEST_CASE("query tells the protocol by the targets") {
    for (const auto* steps : {R"([["grpc://h:1/S/M"]])", R"([["http://h/x","GRPCS://h:1/S/M"]])",
                              R"([["","http://h/x","","","grpc://h:1/S/M"]])"})
      CHECK_MESSAGE(shown(steps).at("protocol") == "grpc", steps);
    CHECK(shown(R"([["jsonrpc+http://h/x"],["grpc://h:1/S/M"]])").at("protocol") == "json-rpc");
    CHECK(shown(R"([["http://h/grpc://x"]])").at("protocol") == "http");
    CHECK(shown("[]").at("protocol") == "http");
  }

  TEST_CASE("query shows targets as dtm's clients write them") {
    const auto hidden = protocol::Secrets::hidden;
    CHECK(protocol::shown_url("grpc://h:1/S/M", hidden) == "h:1/S/M");
    CHECK(protocol::shown_url("grpcs://h:1/S/M", hidden) == "grpcs://h:1/S/M");
    CHECK(protocol::client_reason("branch 01 (grpc://h:1/S/M): no money") ==
          "url:h:1/S/M return failed: no money FAILURE");
  }
}

}  // namespace belay::test
