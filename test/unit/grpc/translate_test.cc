// Goal: a message becomes the request that the same JSON over HTTP becomes; a broken one is refused
// before it takes much memory.
#include "serve/grpc/translate.h"

#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "dtmgimp.pb.h"
#include "serve/protocol/parse.h"

namespace belay::door {
namespace {

using protocol::TransactionRequest;

Result<protocol::DtmCall> read(const char* method, const std::string& message) {
  return read_call(*protocol::find_method(method), message);
}

std::string refused(const char* method, const std::string& message) {
  const auto call = read(method, message);
  REQUIRE_FALSE(call);
  CHECK(call.error().code == ErrorCode::invalid_argument);
  return call.error().detail;
}

dtmgimp::DtmRequest whole_request() {
  dtmgimp::DtmRequest message;
  message.set_gid("g;1");
  message.set_transtype("saga");
  message.set_customeddata(R"({"concurrent":true})");
  message.add_binpayloads("\xff\x01");
  message.add_binpayloads("");
  message.set_queryprepared("h:1/S/Q");
  message.set_steps(R"([{"action":"h:1/S/A","compensate":"h:1/S/C"},{"action":"","data":"old"}])");
  (*message.mutable_reqextra())["status"] = "succeed";
  message.set_rollbackreason("why");
  auto& options = *message.mutable_transoptions();
  options.set_waitresult(true);
  options.set_timeouttofail(11);
  options.set_retryinterval(12);
  options.set_requesttimeout(13);
  options.set_retrylimit(14);
  (*options.mutable_branchheaders())["x"] = "y";
  return message;
}

}  // namespace

TEST_SUITE("grpc/translate") {
  TEST_CASE("every field of a request has its place") {
    const auto call = read("Submit", whole_request().SerializeAsString());
    REQUIRE(call);
    const auto& request = std::get<TransactionRequest>(*call);
    CHECK(request.gid == "g;1");
    CHECK(request.trans_type == "saga");
    CHECK(request.protocol == "grpc");
    CHECK(request.custom_data == R"({"concurrent":true})");
    CHECK(request.payloads == std::vector<std::string>{"\xff\x01", ""});
    CHECK(request.query_prepared == "h:1/S/Q");
    REQUIRE(request.steps.size() == 2);
    CHECK(request.steps[0].action == "h:1/S/A");
    CHECK(request.steps[0].compensate == "h:1/S/C");
    REQUIRE(request.req_extra.size() == 1);
    CHECK(request.req_extra[0].name == "status");
    CHECK(request.req_extra[0].value == "succeed");
    CHECK(request.rollback_reason == "why");
    CHECK(request.wait_result);
    CHECK(request.timeout_to_fail == 11);
    CHECK(request.retry_interval == 12);
    CHECK(request.request_timeout == 13);
    CHECK(request.retry_limit == 14);
    REQUIRE(request.branch_headers.size() == 1);
    CHECK(request.branch_headers[0].name == "x");
  }

  TEST_CASE("no steps: nothing, null and an empty list") {
    for (const auto* text : {"", "null", "[]"}) {
      dtmgimp::DtmRequest message;
      message.set_steps(text);
      const auto call = read("Prepare", message.SerializeAsString());
      REQUIRE_MESSAGE(call, text);
      CHECK(std::get<TransactionRequest>(*call).steps.empty());
    }
    CHECK(read("Prepare", ""));
  }

  TEST_CASE("steps that are none are refused with the field's name") {
    for (const auto* text : {"[", "7", "{}", "[7]", R"([{"action":7}])", "[\"x\"]"}) {
      dtmgimp::DtmRequest message;
      message.set_steps(text);
      CHECK_MESSAGE(refused("Submit", message.SerializeAsString()).starts_with("Steps: "), text);
    }
    dtmgimp::DtmRequest deep;
    deep.set_steps(std::string(100, '['));
    CHECK(refused("Submit", deep.SerializeAsString()) ==
          "Steps: the JSON is nested deeper than 64 levels");
  }

  TEST_CASE("numbers beyond their range") {
    auto message = whole_request();
    message.mutable_transoptions()->set_timeouttofail(-1);
    CHECK(refused("Submit", message.SerializeAsString()) ==
          "timeout_to_fail is -1, it must be 0 to 1000000000");
    message.mutable_transoptions()->set_timeouttofail(protocol::kSecondsMax);
    CHECK(read("Submit", message.SerializeAsString()));
  }

  TEST_CASE("branches and topics") {
    dtmgimp::DtmBranchRequest branch;
    branch.set_gid("g");
    branch.set_transtype("tcc");
    branch.set_branchid("01");
    branch.set_op("ignored");
    branch.set_busipayload("\xff");
    for (const auto* name : {"confirm", "cancel", "url", "op", "status"})
      (*branch.mutable_data())[name] = std::string("the ") + name;
    const auto call = read("RegisterBranch", branch.SerializeAsString());
    REQUIRE(call);
    const auto& request = std::get<protocol::BranchRequest>(*call);
    CHECK(request.gid == "g");
    CHECK(request.trans_type == "tcc");
    CHECK(request.branch_id == "01");
    CHECK(request.data == "\xff");
    CHECK(request.confirm == "the confirm");
    CHECK(request.cancel == "the cancel");
    CHECK(request.url == "the url");
    CHECK(request.op == "the op");
    CHECK(request.status == "the status");
    CHECK(request.protocol == "grpc");
    dtmgimp::DtmTopicRequest topic;
    topic.set_topic("t");
    topic.set_url("h:1/S/M");
    topic.set_remark("r");
    const auto subscribed = read("Subscribe", topic.SerializeAsString());
    REQUIRE(subscribed);
    const auto& wanted = std::get<protocol::TopicRequest>(*subscribed);
    CHECK(wanted.topic == "t");
    CHECK(wanted.url == "h:1/S/M");
    CHECK(wanted.remark == "r");
    CHECK(wanted.protocol == "grpc");
  }

  TEST_CASE("bytes that are no message are refused") {
    for (const std::string& bytes :
         {std::string("\x0a"), std::string("\x0a\x02\xff\xfe"), std::string("\x0b\x0c"),
          std::string("\x80"), std::string(12, '\xff'), std::string("\x1a\x01\x0a")}) {
      CHECK(refused("Submit", bytes).starts_with("the message is no DtmRequest"));
    }
    CHECK(refused("NewGid", "\x0a").starts_with("the message is no Empty"));
    CHECK(read("NewGid", ""));
    CHECK(read("NewGid", "\x08\x01"));  // a field of a later version
  }

  TEST_CASE("a message of very many fields is refused before it is parsed") {
    std::string message;
    for (std::size_t i = 0; i < kFieldsMax; ++i) message += std::string("\x2a\x00", 2);
    CHECK(read("Submit", message));
    CHECK(refused("Submit", message + std::string("\x2a\x00", 2)).ends_with("262144"));
    std::string options;
    for (std::size_t i = 0; i < kFieldsMax; ++i) options += std::string("\x08\x01", 2);
    dtmgimp::DtmRequest inner;
    inner.set_gid("g");
    std::string bytes = inner.SerializeAsString() + std::string("\x1a\x80\x80\x20", 4);
    CHECK(refused("Submit", bytes + options).ends_with("262144"));
  }

  TEST_CASE("the address of a peer") {
    CHECK(address_of("ipv4:127.0.0.1:80") == "127.0.0.1");
    CHECK(address_of("ipv6:%5B::1%5D:80") == "::1");
    CHECK(address_of("ipv6:[fe80::1]:80") == "fe80::1");
    CHECK(address_of("unix:") == "unix:");
    CHECK(address_of("") == "");
  }
}

}  // namespace belay::door
