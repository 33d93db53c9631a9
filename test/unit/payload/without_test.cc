// Goal: a belay without protobuf says so.
#include <doctest/doctest.h>

#include "payload/message_types.h"

TEST_SUITE("payload/without") {
  TEST_CASE("no types are read without protobuf") {
    CHECK_FALSE(belay::tool::knows_messages());
    const auto types = belay::tool::MessageTypes::make("");
    REQUIRE_FALSE(types);
    CHECK(types.error().code == belay::ErrorCode::unsupported);
  }
}
