// A library that was built without libcurl or c-ares says so, of every name.
#include <doctest/doctest.h>

#include <string>

#include "names/names.h"

namespace belay::test {

TEST_SUITE("names/without") {
  TEST_CASE("a name is refused by what it is, and shows no password") {
    const auto made = names::Names::make({}, {}, base::Log::none());
    REQUIRE(made.has_value());
    const auto refused = (*made)->check("http+etcd://u:word@h:1/stock/take");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unsupported);
    CHECK(refused.error().detail.find("http+etcd://") != std::string::npos);
    CHECK(refused.error().detail.find("word") == std::string::npos);
  }

  TEST_CASE("a resolver is checked all the same") {
    CHECK_FALSE(names::Names::make({{"etcd", {}}}, {}, base::Log::none()).has_value());
  }
}

}  // namespace belay::test
