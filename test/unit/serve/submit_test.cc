// Definitions as `belay submit` reads them.
#include <doctest/doctest.h>

#include "submit/definitions.h"

namespace belay::tool {

TEST_SUITE("submit/definitions") {
  TEST_CASE("one object over many lines, or one a line") {
    const auto one = parse_definitions("{\n \"gid\": \"a\",\n \"trans_type\": \"saga\"\n}\n");
    REQUIRE(one);
    REQUIRE(one->size() == 1);
    CHECK(one->front().request.gid == "a");
    CHECK(one->front().place() == "");
    const auto two = parse_definitions(
        "{\"gid\":\"a\",\"trans_type\":\"saga\"}\n\n{\"gid\":\"b\",\"trans_type\":\"msg\"}");
    REQUIRE(two);
    REQUIRE(two->size() == 2);
    CHECK(two->back().request.gid == "b");
    CHECK(two->back().place() == "line 3: ");
  }

  TEST_CASE("without a gid a new one is taken, in the JSON too") {
    const auto made = parse_definitions("{\"trans_type\":\"saga\"}");
    REQUIRE(made);
    CHECK(made->front().request.gid.size() == 26);
    CHECK(made->front().json["gid"] == made->front().request.gid);
  }

  TEST_CASE("what is wrong is named with its line and field") {
    const auto wrong = [](const char* text) {
      const auto parsed = parse_definitions(text);
      REQUIRE_FALSE(parsed);
      CHECK(parsed.error().code == ErrorCode::invalid_argument);
      return parsed.error().detail;
    };
    CHECK(wrong(" \n") == "there is no definition");
    CHECK(wrong("{}") == "trans_type is missing");
    CHECK(wrong("{\"trans_type\":7}").find("trans_type") != std::string::npos);
    CHECK(wrong("{\"trans_type\":\"saga\"}\n{\"trans_type\":\"saga\",\"steps\":7}")
              .find("line 2: steps") == 0);
    CHECK(wrong("{\"trans_type\":\"saga\"}\n{oops").find("line 2: ") == 0);
  }

  TEST_CASE("a key that nobody reads is refused, with its place and what it may have meant") {
    const auto wrong = [](const char* text) {
      const auto parsed = parse_definitions(text);
      return parsed ? "" : parsed.error().detail;
    };
    CHECK(wrong(R"({"trans_type":"saga","steps":[{"action":"a"},{"actoin":"b"}]})") ==
          "steps[1]: there is no key 'actoin'; did you mean 'action'?");
    CHECK(wrong(R"({"trans_type":"saga"}
{"trans_type":"saga","retry_limits":7})") ==
          "line 2: there is no key 'retry_limits'; did you mean 'retry_limit'?");
    CHECK(wrong(R"({"trans_type":"saga","colour":"red"})") == "there is no key 'colour'");
    CHECK(wrong(("{\"trans_type\":\"saga\",\"" + std::string(1'000, 'x') + "\":1}").c_str()) ==
          "there is no key '" + std::string(64, 'x') + "'");
  }

  TEST_CASE("the keys of dtm's clients are known, in any case") {
    CHECK(parse_definitions(R"({"gid":"a","Trans_Type":"saga","STEPS":[{"Action":"a",
      "compensate":"b","data":"{}"},null],"payloads":["{}"],"query_prepared":"","protocol":"",
      "custom_data":"","rollback_reason":"","branch_headers":{"any":"x"},"req_extra":{"any":"x"},
      "wait_result":false,"concurrent":true,"timeout_to_fail":1,"request_timeout":1,
      "retry_interval":1,"retry_limit":1,"passthrough_headers":[]})"));
  }
}

}  // namespace belay::tool
