// Goal: the small parts: times, reasons in dtm's words, orders of a saga.
#include <doctest/doctest.h>

#include <belay/belay.h>

#include <atomic>
#include <future>
#include <memory>
#include <new>

#include "serve/protocol/orders.h"
#include "serve/protocol/read_pool.h"
#include "serve/protocol/reason.h"
#include "serve/protocol/times.h"
#include "support/process.h"

namespace belay::test {

TEST_SUITE("protocol/parts") {
  TEST_CASE("of a header that is there twice the first counts, whatever its name's case") {
    const http::Request request{
        .method = {},
        .path = {},
        .query = {},
        .headers = {{"Host", "h"}, {"TraceParent", "one"}, {"traceparent", "two"}},
        .body = {}};
    CHECK(request.header("traceparent") == "one");
    CHECK(request.header("Trace") == "");
  }

  TEST_CASE("times are written in UTC with milliseconds") {
    CHECK(protocol::to_rfc3339(TimePoint(Millis{1'767'434'400'123})) ==
          "2026-01-03T10:00:00.123+00:00");
    CHECK(protocol::to_rfc3339(TimePoint(Millis{0})) == "1970-01-01T00:00:00.000+00:00");
  }

  TEST_CASE("reasons in dtm's words") {
    CHECK(protocol::client_reason("branch 02 (http://h/a?x=(1)): no (really): it") ==
          "url:http://h/a?x=(1) return failed: no (really): it FAILURE");
    CHECK(protocol::client_reason("branch 02 (jsonrpc+http://h): no") ==
          "url:http://h return failed: no FAILURE");
    CHECK(protocol::client_reason("branch 02 (x)") == "url:x return failed:  FAILURE");
    CHECK(protocol::client_reason("branch 01 (x): no answer after 3 calls; the last: e") ==
          "RetryCount is greater than RetryLimit, RetryLimit: 2");
    CHECK(protocol::client_reason("timeout after 35000 ms") == "Timeout after 35 seconds");
    CHECK(protocol::client_reason("what the caller said") == "what the caller said");
    CHECK(protocol::client_reason("branch and nothing") == "branch and nothing");
    CHECK(protocol::client_reason("") == "");
  }

  TEST_CASE(
      "queries behind one that hangs are dropped in the end, as is one that no memory is left "
      "for") {
    const TempDir dir;
    const auto path = dir.file("state.db");
    REQUIRE(Engine::open(path));
    auto pool = protocol::ReadPool::make(path, 1, 10, Millis{20});
    REQUIRE(pool);
    std::promise<void> begun;
    std::promise<void> go_on;
    REQUIRE((*pool)->post([&](Reader&) {
      begun.set_value();
      go_on.get_future().wait();
      throw std::bad_alloc();
    }));
    begun.get_future().wait();
    auto kept = std::make_shared<int>(0);
    REQUIRE((*pool)->post([kept](Reader&) { ++*kept; }));
    while (kept.use_count() > 1) (*pool)->drop_late();
    CHECK(*kept == 0);
    go_on.set_value();
    // On a busy machine it may wait longer than the pool's patience and be dropped.
    const auto ran = std::make_shared<std::atomic<int>>(0);
    while (*ran == 0) {
      REQUIRE((*pool)->post([ran](Reader&) { ++*ran; }));
      while (ran.use_count() > 1) (*pool)->drop_late();
    }
  }

  TEST_CASE("orders count from 0 and hold only where steps go at once") {
    Saga saga("g");
    for (int i = 0; i < 4; ++i) saga.step("a", "c");
    auto graph = saga;
    CHECK(protocol::apply_orders(R"({"concurrent":true,"orders":{"2":[0,1],"3":[2]}})", graph));
    REQUIRE(graph.orders().size() == 2);
    CHECK(graph.orders()[0].step == 3);
    CHECK(graph.orders()[0].after == std::vector<std::uint32_t>{1, 2});
    CHECK_FALSE(graph.is_concurrent());
    auto concurrent = saga;
    CHECK(protocol::apply_orders(R"({"concurrent":true,"orders":null})", concurrent));
    CHECK(concurrent.is_concurrent());
    auto in_order = saga;
    CHECK(protocol::apply_orders(R"({"orders":{"2":[0,1]}})", in_order));
    CHECK(in_order.orders().empty());
    CHECK_FALSE(in_order.is_concurrent());
    CHECK(protocol::apply_orders("", in_order));
    CHECK(protocol::apply_orders(R"({"concurrent":true,"orders":[]})", in_order));
  }
}

}  // namespace belay::test
