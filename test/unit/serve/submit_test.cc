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
}

}  // namespace belay::tool
