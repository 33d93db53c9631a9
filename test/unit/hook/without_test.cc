// A library that was built without libcurl: a URL is told apart from a name, and refused.
#include <belay/belay.h>
#include <doctest/doctest.h>

#include "support/process.h"

namespace belay::test {

TEST_SUITE("hook/without") {
  TEST_CASE("a URL is refused in a sentence that says what is missing") {
    const TempDir dir;
    auto engine = Engine::open(dir.file("state.db"));
    REQUIRE(engine);
    REQUIRE(engine->start());
    for (const auto* target : {"http://a/", "https://a/", "jsonrpc+http://a/?method=m"}) {
      const auto refused = engine->submit(Saga("g").step(target, ""));
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == ErrorCode::unsupported);
      CHECK(refused.error().detail.find("built without libcurl") != std::string::npos);
    }
    CHECK_FALSE(engine->submit(Saga("g").step("ftp://a/", "")));
    CHECK(engine->submit(Saga("g").step("name", "")));
    CHECK(engine->hosts()->empty());
  }
}

}  // namespace belay::test
