#include "serve/grpc/load.h"

#include <doctest/doctest.h>

namespace belay::door {

TEST_SUITE("grpc/load") {
  TEST_CASE("beyond the limit of requests or bytes nothing more enters, until something leaves") {
    Load load(2, 100);
    CHECK(load.enter(60));
    CHECK_FALSE(load.enter(60));
    load.leave(60);
    CHECK(load.enter(40));
    CHECK_FALSE(load.enter(0));
    load.leave(0);
    CHECK(load.in_flight() == 2);
    CHECK(load.requests() == 4);
    load.leave(40);
    CHECK(load.enter(0));
  }

  TEST_CASE("a message that is alone has the place it needs") {
    Load load(2, 100);
    CHECK(load.enter(1'000));
    CHECK_FALSE(load.enter(1));
  }
}

}  // namespace belay::door
