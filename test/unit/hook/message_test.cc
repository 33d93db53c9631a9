// Requests and responses as bytes: what a call is sent as, and what an answer means.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "hook/answer.h"
#include "hook/json.h"
#include "hook/request.h"

namespace belay::test {
namespace {

constexpr std::string_view kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Outcome read(long status, std::string_view body, bool json_rpc = false) {
  hook::Answer answer;
  answer.begin(1'000'000, json_rpc);
  answer.take(body);
  return answer.outcome(status);
}

OutcomeKind kind(long status, std::string_view body, bool json_rpc = false) {
  return read(status, body, json_rpc).kind();
}

Call some_call() {
  Call call;
  call.gid = "g 1/ä";
  call.mode = Mode::saga;
  call.branch_id = "01";
  call.payload = "{}";
  call.attempt = 3;
  call.fence = 77;
  return call;
}

hook::Request made(const Call& call, std::string_view target) {
  hook::Request request;
  REQUIRE(request.make(call, *hook::make_target(target), 0xabcdef));
  return request;
}

// What a request's list says of that name, in order.
std::vector<std::string> headers_of(const hook::Request& request, std::string_view name) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const std::string_view line(request.header(i));
    const auto end = line.find_first_of(":;");
    if (hook::equal_ignoring_case(line.substr(0, end), name)) found.emplace_back(line.substr(end));
  }
  return found;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_SUITE("hook/answer") {
  TEST_CASE("each row of the protocol's table, in its order") {
    using enum OutcomeKind;
    CHECK(kind(200, "") == success);
    CHECK(kind(200, "{\"dtm_result\":\"SUCCESS\"}") == success);
    CHECK(kind(425, "") == ongoing);
    CHECK(kind(425, "FAILURE") == ongoing);
    CHECK(kind(200, "ONGOING") == ongoing);
    CHECK(kind(409, "ONGOING") == ongoing);
    CHECK(kind(500, "{\"x\":\"ONGOING\",\"y\":\"FAILURE\"}") == ongoing);
    CHECK(kind(200, "FAILURE and ONGOING") == ongoing);
    CHECK(kind(409, "") == failure);
    CHECK(kind(200, "xFAILUREx") == failure);
    CHECK(kind(500, "FAILURE") == failure);
    for (const long status : {100, 201, 202, 204, 304, 400, 404, 410, 500, 502, 503, 504})
      CHECK(kind(status, "SUCCESS") == unknown);
    CHECK(kind(200, "failure ongoing Failure FAILUR ONGOIN") == success);
  }

  TEST_CASE("the body's start is the reason") {
    CHECK(read(409, " {\"message\":\"no seat\"}\r\n").reason() == "{\"message\":\"no seat\"}");
    CHECK(read(502, "<html>\n").reason() == "HTTP 502: <html>");
    CHECK(read(503, " \n ").reason() == "HTTP 503");
    CHECK(read(425, "later").reason() == "later");
    CHECK(read(500, std::string(5'000, 'x')).reason() == "HTTP 500: " + std::string(1'024, 'x'));
  }

  TEST_CASE("a word is seen wherever it stands and however it is cut") {
    const std::string body = "some FAILURE here";
    for (std::size_t a = 0; a <= body.size(); ++a) {
      for (std::size_t b = a; b <= body.size(); ++b) {
        hook::Answer answer;
        answer.begin(100, false);
        answer.take(std::string_view(body).substr(0, a));
        answer.take(std::string_view(body).substr(a, b - a));
        answer.take(std::string_view(body).substr(b));
        CHECK(answer.outcome(200).kind() == OutcomeKind::failure);
      }
    }
    hook::Answer answer;
    answer.begin(100'000, false);
    answer.take(std::string(50'000, 'x'));
    for (const char c : std::string("ONGOING")) answer.take({&c, 1});
    CHECK(answer.outcome(200).kind() == OutcomeKind::ongoing);
    CHECK(answer.outcome(200).reason().size() == 1'024);
  }

  TEST_CASE("what is larger than may be is not read, whatever it began with") {
    hook::Answer answer;
    answer.begin(10, false);
    CHECK(answer.take("FAILURE..."));
    CHECK_FALSE(answer.take("."));
    CHECK(answer.outcome(409).kind() == OutcomeKind::unknown);
    CHECK(answer.outcome(200).reason() == "the response is larger than 10 bytes");
    answer.begin(10, false);
    CHECK(answer.outcome(200).kind() == OutcomeKind::success);
  }

  TEST_CASE("JSON-RPC: the same rules first, then the error's code") {
    using enum OutcomeKind;
    CHECK(kind(200, R"({"jsonrpc":"2.0","result":null,"id":1})", true) == success);
    CHECK(kind(200, R"({"error":null,"result":{}})", true) == success);
    CHECK(kind(200, R"({"error":{"code":-32901,"message":"no"}})", true) == failure);
    CHECK(kind(200, R"({"error":{"message":"not yet","code" : -32902 }})", true) == ongoing);
    CHECK(kind(200, R"({"error":{"code":-32603,"message":"FAILURE"}})", true) == failure);
    CHECK(kind(409, "", true) == failure);
    CHECK(kind(200, R"({"error":{"code":-32603,"message":"x"}})", true) == unknown);
    CHECK(kind(200, R"({"error":"broken"})", true) == unknown);
    CHECK(kind(200, R"({"result":1} x)", true) == unknown);
    CHECK(kind(200, "", true) == unknown);
    CHECK(kind(500, R"({"result":1})", true) == unknown);
    CHECK(read(200, R"({"error":{"code":-32603}})", true).reason() ==
          R"(JSON-RPC error: {"code":-32603})");
  }
}

TEST_SUITE("hook/request") {
  TEST_CASE("the query, the body and the method are dtm's") {
    auto call = some_call();
    auto request = made(call, "http://a/b?c=d");
    CHECK(request.is_post());
    CHECK(request.body() == "{}");
    CHECK(request.url() ==
          "http://a/b?c=d&branch_id=01&gid=g%201%2F%C3%A4&op=action&trans_type=saga");
    call.payload = "";
    call.mode = Mode::tcc;
    call.op = Op::try_;
    request = made(call, "http://a");
    CHECK_FALSE(request.is_post());
    CHECK(request.body().empty());
    CHECK(request.url() == "http://a/?branch_id=01&gid=g%201%2F%C3%A4&op=try&trans_type=tcc");
    call.mode = Mode::xa;
    call.op = Op::commit;
    request = made(call, "http://a");
    CHECK(request.is_post());
    CHECK(request.url().ends_with("&op=commit&trans_type=xa"));
  }

  TEST_CASE("a back-check says msg, a workflow its name") {
    auto call = some_call();
    call.mode = Mode::msg;
    call.op = Op::query;
    call.branch_id = "00";
    CHECK(made(call, "http://a/").url() ==
          "http://a/?branch_id=00&gid=g%201%2F%C3%A4&op=msg&trans_type=msg");
    call.mode = Mode::workflow;
    call.workflow = "book trip";
    CHECK(made(call, "http://a/").url().ends_with("&op=book%20trip&trans_type=workflow"));
  }

  TEST_CASE("a header's last value is sent, and those that are not the caller's are left out") {
    auto call = some_call();
    const std::vector<Header> headers = {{"X-User", "1"},      {"content-type", "text/plain"},
                                         {"x-user", "2"},      {"Content-Length", "5"},
                                         {"HOST", "evil"},     {"Transfer-Encoding", "chunked"},
                                         {"Belay-Fence", "0"}, {"Cookie", "a=b"},
                                         {"X-Empty", ""}};
    call.headers = headers;
    const auto request = made(call, "http://a/");
    CHECK(headers_of(request, "X-User") == Lines{": 2"});
    CHECK(headers_of(request, "Content-Type") == Lines{": text/plain"});
    CHECK(headers_of(request, "Accept") == Lines{": application/json"});
    CHECK(headers_of(request, "Cookie") == Lines{": a=b"});
    CHECK(headers_of(request, "X-Empty") == Lines{";"});
    CHECK(headers_of(request, "Belay-Attempt") == Lines{": 3"});
    CHECK(headers_of(request, "Belay-Fence") == Lines{": 77"});
    for (const auto* name : {"Content-Length", "Host", "Transfer-Encoding", "traceparent"})
      CHECK(headers_of(request, name).empty());
    CHECK(headers_of(made(some_call(), "http://a/"), "content-type") ==
          Lines{": application/json"});
  }

  TEST_CASE("a header that would break the request is refused") {
    for (const Header& header :
         {Header{"X", "a\r\nY: b"}, Header{"X", "a\nb"}, Header{"X", std::string("a\0b", 3)},
          Header{"X\r\n", "a"}, Header{"", "a"}, Header{"X Y", "a"}, Header{"X:", "a"},
          Header{"\xc3\xa4", "a"}}) {
      CHECK_FALSE(hook::check_headers(std::vector{header}));
      auto call = some_call();
      const std::vector<Header> headers = {header};
      call.headers = headers;
      hook::Request request;
      CHECK_FALSE(request.make(call, *hook::make_target("http://a/"), 1));
    }
    CHECK(hook::check_headers(std::vector{Header{"X", "\ta \xc3\xa4"}}));
    CHECK(hook::check_headers(std::vector<Header>(256, {"X", "y"})));
    CHECK_FALSE(hook::check_headers(std::vector<Header>(257, {"X", "y"})));
  }

  TEST_CASE("a traceparent goes on with a span of its own, unless the caller sends one") {
    auto call = some_call();
    call.trace_parent = kTrace;
    CHECK(headers_of(made(call, "http://a/"), "traceparent") ==
          Lines{": 00-0af7651916cd43dd8448eb211c80319c-0000000000abcdef-01"});
    const std::vector<Header> headers = {{"TraceParent", "mine"}};
    call.headers = headers;
    CHECK(headers_of(made(call, "http://a/"), "traceparent") == Lines{": mine"});
    call.headers = {};
    call.trace_parent = "nonsense";
    CHECK(headers_of(made(call, "http://a/"), "traceparent").empty());
  }

  TEST_CASE("JSON-RPC: the payload's members and the call's, which win; nothing in the URL") {
    auto call = some_call();
    call.payload = R"( {"gid":"forged","amount":{"x":[1,"}"]},"op":null} )";
    const auto request = made(call, "jsonrpc+http://a/rpc?method=book");
    CHECK(request.url() == "http://a/rpc?method=book");
    CHECK(request.is_post());
    CHECK(request.body() ==
          R"({"id":"g 1/ä.01.action.3","jsonrpc":"2.0","method":"book","params":{)"
          R"("amount":{"x":[1,"}"]},)"
          R"("branch_id":"01","gid":"g 1/ä","op":"action","trans_type":"saga"}})");
    call.payload = "";
    CHECK(hook::json_members(made(call, "jsonrpc+http://a?method=m").body()).has_value());
    hook::Request refused;
    for (const auto* payload : {"[]", "1", "{", "{}x", "\"x\"", "{\"a\":}", "{a:1}"}) {
      call.payload = payload;
      const auto made = refused.make(call, *hook::make_target("jsonrpc+http://a?method=m"), 1);
      REQUIRE_FALSE(made);
      CHECK(made.error().detail == "the payload is no JSON object, as JSON-RPC's params must be");
    }
  }
}

TEST_SUITE("hook/json") {
  TEST_CASE("an object's members are left as they are written") {
    const auto members =
        hook::json_members(" {\"a\" : 1.5e-3 , \"b\\\"\":[ {}, [] ,true] ,\"\\u00e4\":\"x\\n\"}\n");
    REQUIRE(members);
    REQUIRE(members->size() == 3);
    CHECK((*members)[0].name == "a");
    CHECK((*members)[0].value == "1.5e-3");
    CHECK((*members)[1].name == "b\\\"");
    CHECK((*members)[1].value == "[ {}, [] ,true]");
    CHECK((*members)[2].value == "\"x\\n\"");
    CHECK(hook::json_members("{}")->empty());
  }

  TEST_CASE("what is no object is nothing") {
    for (const auto* text : {"",
                             " ",
                             "{",
                             "}",
                             "[]",
                             "{}{}",
                             "{,}",
                             "{\"a\":1,}",
                             "{\"a\"}",
                             "{\"a\":01}",
                             "{\"a\":1.}",
                             "{\"a\":-}",
                             "{\"a\":1e}",
                             "{\"a\":+1}",
                             "{\"a\":tru}",
                             "{\"a\":\"\n\"}",
                             "{\"a\":\"\\x\"}",
                             "{\"a\":\"\\u12g4\"}",
                             "{\"a\":\"",
                             "{\"a\":[1,]}",
                             "{\"a\":'b'}"})
      CHECK_FALSE_MESSAGE(hook::json_members(text), text);
  }

  TEST_CASE("depth is bounded") {
    const auto nested = [](std::size_t depth) {
      return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
    };
    CHECK(hook::json_members(nested(200)));
    CHECK_FALSE(hook::json_members(nested(1'000'000)));
  }

  TEST_CASE("a string that is written is read as one") {
    std::string all;
    for (int c = 0; c < 128; ++c) all.push_back(static_cast<char>(c));
    std::string out = "{\"a\":";
    hook::append_json_string(out, all);
    CHECK(hook::json_members(out + "}").has_value());
  }
}

}  // namespace belay::test
