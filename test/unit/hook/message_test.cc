// Requests as bytes: what a call is sent as.
#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "hook/http_request.h"
#include "hook/json.h"

namespace belay::test {
namespace {

constexpr std::string_view kTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

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

hook::HttpRequest made(const Call& call, std::string_view target) {
  hook::HttpRequest request;
  REQUIRE(request.make(call, *hook::make_target(target), 0xabcdef));
  return request;
}

// What a request's list says of that name, in order.
std::vector<std::string> headers_of(const hook::HttpRequest& request, std::string_view name) {
  std::vector<std::string> found;
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const std::string_view line(request.header(i));
    const auto end = line.find_first_of(":;");
    if (base::equal_ignoring_case(line.substr(0, end), name)) found.emplace_back(line.substr(end));
  }
  return found;
}

using Lines = std::vector<std::string>;

}  // namespace

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
    call.payload = {};
    CHECK(made(call, "http://a/").is_post());
  }

  TEST_CASE("a header's last value is sent, and those that are not the caller's are left out") {
    auto call = some_call();
    const std::vector<Header> headers = {{"X-User", "1"},      {"content-type", "text/plain"},
                                         {"x-user", "2"},      {"Content-Length", "5"},
                                         {"HOST", "evil"},     {"Transfer-Encoding", "chunked"},
                                         {"Belay-Fence", "0"}, {"Cookie", "a=b"},
                                         {"X-Empty", ""},      {"accept-encoding", "br, *"},
                                         {"TE", "gzip"}};
    call.headers = headers;
    const auto request = made(call, "http://a/");
    CHECK(headers_of(request, "X-User") == Lines{": 2"});
    CHECK(headers_of(request, "Content-Type") == Lines{": text/plain"});
    CHECK(headers_of(request, "Accept") == Lines{": application/json"});
    CHECK(headers_of(request, "Accept-Encoding") == Lines{": identity"});
    CHECK(headers_of(request, "Cookie") == Lines{": a=b"});
    CHECK(headers_of(request, "X-Empty") == Lines{";"});
    CHECK(headers_of(request, "Belay-Attempt") == Lines{": 3"});
    CHECK(headers_of(request, "Belay-Fence") == Lines{": 77"});
    for (const auto* name : {"Content-Length", "Host", "Transfer-Encoding", "TE", "traceparent"})
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
      hook::HttpRequest request;
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
    call.payload = R"( {"gid":"forged","g\u0069d":"2","amount":{"x":[1,"}"]},"op":null} )";
    const auto request = made(call, "jsonrpc+http://a/rpc?method=book");
    CHECK(request.url() == "http://a/rpc?method=book");
    CHECK(request.is_post());
    CHECK(request.rpc_id() == "g 1/ä.01.action.3");
    CHECK(request.body() ==
          R"({"id":"g 1/ä.01.action.3","jsonrpc":"2.0","method":"book","params":{)"
          R"("amount":{"x":[1,"}"]},)"
          R"("branch_id":"01","gid":"g 1/ä","op":"action","trans_type":"saga"}})");
    call.payload = "";
    CHECK(hook::json_members(made(call, "jsonrpc+http://a?method=m").body()).has_value());
    hook::HttpRequest refused;
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

  TEST_CASE("a string's escapes are undone") {
    CHECK(hook::json_text("plain") == "plain");
    CHECK(hook::json_text(R"(\"\\\/\b\f\n\r\t\u0041\u00e4\u20ac)") == "\"\\/\b\f\n\r\tAä€");
    CHECK(hook::json_text(R"(\ud83d\ude00!)") == "😀!");
    CHECK(hook::json_text(R"(\ud83d\u0041\ude00)") == "\ufffdA\ufffd");
  }

  TEST_CASE("a text is found in strings that are values, not in names, however it is written") {
    CHECK(hook::json_has_string_with(R"({"a":[1,{"b" : "wx\u0079z"}]})", "xy"));
    CHECK(hook::json_has_string_with(R"("xy")", "xy"));
    CHECK_FALSE(hook::json_has_string_with(R"({"xy" : "x","a":["y",1]})", "xy"));
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
}

}  // namespace belay::test
