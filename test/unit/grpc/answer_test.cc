// Goal: each result has its status, and a client can read what goes with it.
// Method: one result of each kind, and texts at both sides of the bound.
#include "serve/grpc/answer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "dtmgimp.pb.h"
#include "retry.pb.h"

namespace belay::door {
namespace {

using grpc::StatusCode;
using protocol::ApiResult;
using Kind = ApiResult::Kind;

grpc::Status status_for(Kind kind, std::string text) {
  return status_of(ApiResult{kind, std::move(text), {}});
}

}  // namespace

TEST_SUITE("grpc/answer") {
  TEST_CASE("each kind of result has its status") {
    const std::vector<std::pair<Kind, StatusCode>> table = {
        {Kind::done, StatusCode::OK},
        {Kind::value, StatusCode::OK},
        {Kind::failure, StatusCode::ABORTED},
        {Kind::ongoing, StatusCode::FAILED_PRECONDITION},
        {Kind::error, StatusCode::UNKNOWN},
        {Kind::invalid, StatusCode::INVALID_ARGUMENT},
        {Kind::overload, StatusCode::UNAVAILABLE},
        {Kind::stranger, StatusCode::UNAUTHENTICATED},
        {Kind::forbidden, StatusCode::PERMISSION_DENIED},
    };
    for (const auto& [kind, code] : table) {
      const auto status = status_for(kind, "text ONGOING");
      CHECK(status.error_code() == code);
      CHECK(status.error_message() == (code == StatusCode::OK ? "" : "text ONGOING"));
      CHECK(status.error_details().empty() == (kind != Kind::overload));
    }
  }

  TEST_CASE("what goes on says so at its end") {
    CHECK(status_for(Kind::ongoing, "wait").error_message() == "wait ONGOING");
    CHECK(status_for(Kind::ongoing, "ONGOING").error_message() == "ONGOING");
  }

  TEST_CASE("an overload says when to come again") {
    google::rpc::Status details;
    REQUIRE(details.ParseFromString(status_for(Kind::overload, "later").error_details()));
    CHECK(details.code() == 14);
    CHECK(details.message() == "later");
    REQUIRE(details.details_size() == 1);
    CHECK(details.details(0).type_url() == "type.googleapis.com/google.rpc.RetryInfo");
    google::rpc::RetryInfo retry;
    REQUIRE(details.details(0).UnpackTo(&retry));
    CHECK(retry.retry_delay().seconds() == 1);
  }

  TEST_CASE("a long text keeps its end, and a broken one becomes text") {
    const std::string longest(kStatusTextMax - 8, 'x');
    CHECK(status_for(Kind::failure, longest + " FAILURE").error_message() == longest + " FAILURE");
    for (const std::string unit : {"y", "\xe2\x82\xac"}) {
      std::string text;
      while (text.size() <= kStatusTextMax) text += unit;
      const auto shown = status_for(Kind::failure, text + " FAILURE").error_message();
      CHECK(shown.size() <= kStatusTextMax);
      CHECK(shown.size() > kStatusTextMax - 8);
      CHECK(shown.ends_with(unit + " FAILURE"));
      CHECK(shown.find("...") != std::string::npos);
    }
    CHECK(status_for(Kind::error, "\xff").error_message() == "\xef\xbf\xbd");
  }

  TEST_CASE("NewGid and PrepareWorkflow have their replies") {
    const auto gid = answer_of(*protocol::find_method("NewGid"),
                               ApiResult::of({{"dtm_result", "SUCCESS"}, {"gid", "abc"}}));
    dtmgimp::DtmGidReply gid_reply;
    REQUIRE(gid_reply.ParseFromString(gid.message));
    CHECK(gid_reply.gid() == "abc");
    const auto told = answer_of(
        *protocol::find_method("PrepareWorkflow"),
        ApiResult::of(
            {{"transaction",
              {{"gid", "g"}, {"status", "failed"}, {"rollback_reason", "no"}, {"result", "AQ=="}}},
             {"progresses",
              {{{"branch_id", "01"}, {"op", "action"}, {"status", "succeed"}, {"bin_data", "/w=="}},
               {{"branch_id", "02"}, {"op", "action"}, {"status", "failed"}}}}}));
    dtmgimp::DtmProgressesReply reply;
    REQUIRE(reply.ParseFromString(told.message));
    CHECK(reply.transaction().gid() == "g");
    CHECK(reply.transaction().status() == "failed");
    CHECK(reply.transaction().rollbackreason() == "no");
    CHECK(reply.transaction().result() == "AQ==");
    REQUIRE(reply.progresses_size() == 2);
    CHECK(reply.progresses(0).bindata() == "\xff");
    CHECK(reply.progresses(1).branchid() == "02");
  }

  TEST_CASE("a refusal and an empty success have no reply") {
    const auto& method = *protocol::find_method("PrepareWorkflow");
    CHECK(answer_of(method, ApiResult::failure("no")).message.empty());
    CHECK(answer_of(*protocol::find_method("Submit"), {}).message.empty());
  }
}

}  // namespace belay::door
