// Goal: idempotency keys are kept for a day within their limits, apart for each caller.
// Method: the table alone, with times that the test chooses.
#include <doctest/doctest.h>

#include <string>

#include "serve/protocol/admin/keys.h"

namespace belay::protocol::admin {
namespace {

using namespace std::chrono_literals;
using Use = Keys::Use;

constexpr Keys::Clock::time_point kStart{};

http::Response answer(int status, std::string body = "{}") {
  return {status, "application/json", std::move(body), {}};
}

}  // namespace

TEST_SUITE("protocol/admin/keys") {
  TEST_CASE("an answer is kept for its caller, its key and its request") {
    Keys keys;
    CHECK(keys.begin("ops", "k", "stop g", kStart).use == Use::first);
    CHECK(keys.begin("ops", "k", "stop g", kStart).use == Use::open);
    keys.end("ops", "k", answer(409, "no"));
    const auto again = keys.begin("ops", "k", "stop g", kStart + 23h);
    CHECK(again.use == Use::again);
    CHECK(again.answer.status == 409);
    CHECK(again.answer.body == "no");
    CHECK(keys.begin("ops", "k", "stop h", kStart).use == Use::other);
    CHECK(keys.begin("eve", "k", "stop h", kStart).use == Use::first);
    CHECK(keys.begin("ops", "k", "stop h", kStart + 24h).use == Use::first);
  }

  TEST_CASE("what may be otherwise later is not kept") {
    Keys keys;
    keys.begin("ops", "k", "stop g", kStart);
    keys.end("ops", "k", answer(503));
    CHECK(keys.begin("ops", "k", "stop g", kStart).use == Use::first);
    keys.forget("ops", "k");  // dropped without an answer
    CHECK(keys.begin("ops", "k", "stop g", kStart).use == Use::first);
    keys.end("ops", "k", answer(200));
    keys.forget("ops", "k");  // the end of a request that was answered
    CHECK(keys.begin("ops", "k", "stop g", kStart).use == Use::again);
  }

  TEST_CASE("beyond either limit the oldest keys are forgotten") {
    Keys keys;
    for (std::size_t i = 0; i <= Keys::kKeysMax; ++i) {
      const auto key = std::to_string(i);
      CHECK(keys.begin("ops", key, "", kStart).use == Use::first);
      keys.end("ops", key, answer(200));
    }
    CHECK(keys.size() == Keys::kKeysMax);
    CHECK(keys.begin("ops", "1", "", kStart).use == Use::again);
    CHECK(keys.begin("ops", "0", "", kStart).use == Use::first);
    Keys large;
    const auto mebibyte = std::string(1024 * 1024, 'x');
    for (int i = 0; i < 20; ++i) {
      large.begin("ops", std::to_string(i), "", kStart);
      large.end("ops", std::to_string(i), answer(200, mebibyte));
    }
    CHECK(large.size() == 7);
    CHECK(large.begin("ops", "19", "", kStart).use == Use::again);
  }
}

}  // namespace belay::protocol::admin
