#include "serve/grpc/load.h"

#include <doctest/doctest.h>

namespace belay::door {

TEST_SUITE("grpc/load") {
  TEST_CASE("beyond the limit of requests or bytes nothing more enters, until something leaves") {
    Load load(2, 100);
    const auto end = [&](std::size_t bytes) {
      load.answered();
      load.leave(bytes);
    };
    CHECK(load.enter(60));
    CHECK_FALSE(load.enter(60));
    end(60);
    CHECK(load.enter(40));
    CHECK_FALSE(load.enter(0));
    end(0);
    CHECK(load.in_flight() == 2);
    CHECK(load.requests() == 4);
    end(40);
    CHECK(load.enter(0));
  }

  TEST_CASE("an answer that nobody reads takes no request's place, until there are too many") {
    Load load(2, 100);
    for (int i = 0; i < 1'026; ++i) {
      CHECK(load.enter(0));
      load.answered();
    }
    CHECK(load.in_flight() == 0);
    CHECK(load.has_many_unread());
    CHECK_FALSE(load.has_too_many());
    CHECK_FALSE(load.enter(0));
    CHECK(load.has_too_many());
  }

  TEST_CASE("a message that is alone has the place it needs") {
    Load load(2, 100);
    CHECK(load.enter(1'000));
    CHECK_FALSE(load.enter(1));
  }
}

}  // namespace belay::door
