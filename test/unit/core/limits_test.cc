// What a submit is refused for: each limit with its own code, each message with the field, the
// number and the limit.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "core/definition.h"
#include "support/encode.h"
#include "unit/core/samples.h"

namespace belay::test {
namespace {

Saga small() {
  Saga saga("g");
  saga.step("a", "b").step("c", "d").step("e", "f");
  return saga;
}

// "" if it is accepted, else "code: detail".
std::string verdict(Description saga, std::string_view gid = "g", const Limits& limits = {}) {
  const auto bytes = encode(saga, gid, limits);
  return bytes ? "" : std::string(name_of(bytes.error().code)) + ": " + bytes.error().detail;
}

std::string verdict(const Options& options) {
  const auto checked = core::check_options(options);
  return checked ? "" : std::string(name_of(checked.error().code)) + ": " + checked.error().detail;
}

Saga with_retry(const std::function<void(Retry&)>& change) {
  Retry retry;
  change(retry);
  return small().retry(retry);
}

constexpr auto kYear = Millis{365LL * 24 * 3600 * 1000};

}  // namespace

TEST_SUITE("core/limits") {
  TEST_CASE("a back-check is a handler, not a topic, and no delivery") {
    CHECK(verdict(Msg("g").to("a").query("topic://x")) ==
          "invalid_argument: the back-check 'topic://x' is a topic");
    CHECK(verdict(Msg("g").to("a").query("b"), "g", {.branches_max = 1}) == "");
    CHECK(verdict(Msg("g").query("b")) == "invalid_argument: the msg has no delivery");
  }

  TEST_CASE("a gid must not be empty, longer than its limit, or hold a control character") {
    CHECK(verdict(small(), "") == "gid_limit: the gid is empty");
    CHECK(verdict(small(), std::string(128, 'g')) == "");
    CHECK(verdict(small(), std::string(129, 'g')) ==
          "gid_limit: the gid has 129 bytes, the limit is 128");
    CHECK(verdict(small(), "four!", {.gid_bytes_max = 4}) ==
          "gid_limit: the gid has 5 bytes, the limit is 4");
    CHECK(verdict(small(), "a\nb") ==
          "gid_limit: the gid has the control character 0x0a at byte 1");
    CHECK(verdict(small(), "ab\x7f") ==
          "gid_limit: the gid has the control character 0x7f at byte 2");
    CHECK(verdict(small(), std::string("a\0", 2)) ==
          "gid_limit: the gid has the control character 0x00 at byte 1");
    CHECK(verdict(small(), "caf\xc3\xa9 / \xe2\x9c\x93") == "");
  }

  TEST_CASE("a saga has one to branches_max steps") {
    CHECK(verdict(Saga("g")) == "invalid_argument: the saga has no step");
    CHECK(verdict(small(), "g", {.branches_max = 3}) == "");
    CHECK(verdict(small(), "g", {.branches_max = 2}) ==
          "branches_limit: the saga has 3 steps, the limit is 2");
  }

  TEST_CASE("a payload, a target and the whole definition have a size") {
    const auto with_payload = [](std::size_t bytes) {
      return small().step("a", "b", std::string(bytes, 'p'));
    };
    CHECK(verdict(with_payload(10), "g", {.payload_bytes_max = 10}) == "");
    CHECK(verdict(with_payload(11), "g", {.payload_bytes_max = 10}) ==
          "payload_limit: the payload of step 4 has 11 bytes, the limit is 10");
    CHECK(verdict(small().step(std::string(1024, 'a'), std::string(1024, 'b'))) == "");
    CHECK(verdict(small().step(std::string(1025, 'a'), "")) ==
          "invalid_argument: the action of step 4 has 1025 bytes, the limit is 1024");
    CHECK(verdict(small().step("", std::string(2000, 'b'))) ==
          "invalid_argument: the compensation of step 4 has 2000 bytes, the limit is 1024");
    const auto size = encoded(small()).size();
    CHECK(verdict(small(), "g", {.definition_bytes_max = size}) == "");
    CHECK(verdict(small(), "g", {.definition_bytes_max = size - 1}) ==
          "definition_limit: the definition has " + std::to_string(size) + " bytes, the limit is " +
              std::to_string(size - 1));
    CHECK(verdict(small().trace_parent(std::string(256, 't'))) == "");
    CHECK(verdict(small().trace_parent(std::string(257, 't'))) ==
          "invalid_argument: trace_parent has 257 bytes, the limit is 256");
  }

  TEST_CASE("a branch_id has 1 to 128 bytes, no control character, and no other branch has it") {
    const auto with_ids = [](const std::string& first, const std::string& second) {
      TwoPhaseBranch branch{"t", "c", "x"};
      Tcc tcc("g");
      branch.branch_id = first;
      tcc.branch(branch);
      branch.branch_id = second;
      return tcc.branch(branch);
    };
    CHECK(verdict(with_ids("", "")) == "");
    CHECK(verdict(with_ids("0101", std::string(128, 'b'))) == "");
    CHECK(verdict(with_ids("02", "01")) == "");
    CHECK(verdict(with_ids("caf\xc3\xa9", "")) == "");
    CHECK(verdict(with_ids("01", std::string(129, 'b'))) ==
          "invalid_argument: the branch_id of branch 2 has 129 bytes, the limit is 128");
    CHECK(verdict(with_ids("a\nb", "")) ==
          "invalid_argument: the branch_id of branch 1 has the control character 0x0a at byte 1");
    CHECK(verdict(with_ids("", "b\x7f")) ==
          "invalid_argument: the branch_id of branch 2 has the control character 0x7f at byte 1");
    CHECK(verdict(with_ids("01", "01")) ==
          "invalid_argument: the branch_id '01' of branch 2 is that of branch 1 too");
    CHECK(verdict(with_ids("02", "")) ==
          "invalid_argument: the branch_id '02' of branch 2 is that of branch 1 too");
    CHECK(verdict(with_ids("", "01")) ==
          "invalid_argument: the branch_id '01' of branch 2 is that of branch 1 too");
    TwoPhaseBranch branch{"t", "c", "x"};
    branch.branch_id = std::string(129, 'b');
    const auto later = core::encode_branch(branch, Limits{});
    REQUIRE_FALSE(later);
    CHECK(later.error().detail == "the branch_id of the branch has 129 bytes, the limit is 128");
  }

  TEST_CASE("times are in their range, of the whole and of a step") {
    CHECK(verdict(small().delay(kYear).timeout_to_fail(kYear).request_timeout(Millis{3'600'000})) ==
          "");
    CHECK(verdict(small().delay(Millis{-1})) ==
          "invalid_argument: delay is -1 ms, it must be 0 to 31536000000 ms");
    CHECK(verdict(small().delay(kYear + Millis{1})) ==
          "invalid_argument: delay is 31536000001 ms, it must be 0 to 31536000000 ms");
    CHECK(verdict(small().timeout_to_fail(Millis{0})) ==
          "invalid_argument: timeout_to_fail is 0 ms, it must be 1 to 31536000000 ms");
    CHECK(verdict(small().timeout_to_fail(Millis::max()))
              .find("timeout_to_fail is 9223372036854775807 ms") != std::string::npos);
    CHECK(verdict(small().request_timeout(Millis{0})) ==
          "invalid_argument: request_timeout is 0 ms, it must be 1 to 3600000 ms");
    CHECK(verdict(small().step("a", "b", "", {.request_timeout = Millis{3'600'001}})) ==
          "invalid_argument: request_timeout of step 4 is 3600001 ms, it must be 1 to 3600000 ms");
  }

  TEST_CASE("each number of a retry policy is in its range, of the whole and of a step") {
    CHECK(verdict(with_retry([](Retry& r) { r.first_interval = Millis{0}; })) ==
          "invalid_argument: retry.first_interval is 0 ms, it must be 1 to 31536000000 ms");
    CHECK(verdict(with_retry([](Retry& r) { r.interval_max = kYear + Millis{1}; })) ==
          "invalid_argument: retry.interval_max is 31536000001 ms, it must be 1 to 31536000000 ms");
    CHECK(verdict(with_retry([](Retry& r) { r.ongoing_interval = Millis{-5}; })) ==
          "invalid_argument: retry.ongoing_interval is -5 ms, it must be 1 to 31536000000 ms");
    CHECK(verdict(with_retry([](Retry& r) { r.multiplier = 0.5; })) ==
          "invalid_argument: retry.multiplier is 0.5, it must be 1 to 100");
    CHECK(verdict(with_retry([](Retry& r) { r.multiplier = 101; })) ==
          "invalid_argument: retry.multiplier is 101, it must be 1 to 100");
    CHECK(verdict(with_retry([](Retry& r) { r.multiplier = std::nan(""); })) ==
          "invalid_argument: retry.multiplier is nan, it must be 1 to 100");
    CHECK(verdict(with_retry([](Retry& r) { r.jitter = -0.1; })) ==
          "invalid_argument: retry.jitter is -0.1, it must be 0 to 1");
    CHECK(verdict(with_retry([](Retry& r) {
            r.jitter = std::numeric_limits<double>::infinity();
          })) == "invalid_argument: retry.jitter is inf, it must be 0 to 1");
    CHECK(verdict(small().step("a", "b", "", {.retry = Retry{.jitter = 2.0}})) ==
          "invalid_argument: retry of step 4.jitter is 2, it must be 0 to 1");
    CHECK(verdict(with_retry(
              [](Retry& r) { r = {kYear, 100.0, kYear, 1.0, 0xffffffffu, kYear}; })) == "");
  }

  TEST_CASE("orders name steps that are there, once, without a cycle, and not beside concurrent") {
    CHECK(verdict(small().order(3, {1, 2}).order(2, {1})) == "");
    CHECK(verdict(small().order(0, {1})) ==
          "invalid_argument: an order names step 0, there are steps 1 to 3");
    CHECK(verdict(small().order(4, {1})) ==
          "invalid_argument: an order names step 4, there are steps 1 to 3");
    CHECK(verdict(small().order(2, {4})) ==
          "invalid_argument: step 2 waits for step 4, there are steps 1 to 3");
    CHECK(verdict(small().order(2, {0})) ==
          "invalid_argument: step 2 waits for step 0, there are steps 1 to 3");
    CHECK(verdict(small().order(2, {1}).order(2, {3})) ==
          "invalid_argument: step 2 has two orders");
    CHECK(verdict(small().order(1, {1})) ==
          "invalid_argument: the orders have a cycle: step 1 can never start");
    CHECK(verdict(small().order(2, {3}).order(3, {2})) ==
          "invalid_argument: the orders have a cycle: step 2 can never start");
    CHECK(verdict(small().order(1, {3}).order(2, {1}).order(3, {2})) ==
          "invalid_argument: the orders have a cycle: step 1 can never start");
    CHECK(verdict(small().order(2, {1}).concurrent())
              .starts_with("invalid_argument: the saga is concurrent"));
  }

  TEST_CASE("a graph as large as the limits allow is checked in no time") {
    Saga saga("g");
    for (int i = 0; i < 1000; ++i) saga.step("a", "b");
    for (std::uint32_t step = 2; step <= 1000; ++step) {
      std::vector<std::uint32_t> after;
      for (std::uint32_t before = 1; before < step; ++before) after.push_back(before);
      saga.order(step, after);
    }
    CHECK(verdict(saga) == "");
    CHECK(verdict(saga.order(1, {1000})) ==
          "invalid_argument: the orders have a cycle: step 1 can never start");
  }
}

TEST_SUITE("core/options") {
  TEST_CASE("the defaults of an engine are allowed") { CHECK(verdict(Options{}) == ""); }

  TEST_CASE("each option out of its range is named with its number") {
    const auto refused = [](const std::function<void(Options&)>& change) {
      Options options;
      change(options);
      return verdict(options);
    };
    CHECK(refused([](Options& o) { o.retry.jitter = 3; }) ==
          "invalid_argument: Options::retry.jitter is 3, it must be 0 to 1");
    CHECK(refused([](Options& o) {
            o.request_timeout = Millis{0};
          }).starts_with("invalid_argument: Options::request_timeout is 0 ms"));
    CHECK(refused([](Options& o) {
            o.retention = Millis{-1};
          }).starts_with("invalid_argument: Options::retention is -1 ms"));
    CHECK(refused([](Options& o) {
            o.retention_failed = Millis{-1};
          }).starts_with("invalid_argument: Options::retention_failed is -1 ms"));
    CHECK(refused([](Options& o) {
            o.checkpoint_interval = Millis{0};
          }).starts_with("invalid_argument: Options::checkpoint_interval is 0 ms"));
    CHECK(refused([](Options& o) {
            o.checkpoint_log_bytes = 0;
          }).starts_with("invalid_argument: Options::checkpoint_log_bytes is 0"));
    CHECK(refused([](Options& o) {
            o.stuck_after = 0;
          }).starts_with("invalid_argument: Options::stuck_after is 0"));
    CHECK(refused([](Options& o) { o.retention = Millis{0}; }) == "");  // for ever
  }

  TEST_CASE("no limit may be 0, and a definition must fit into a row") {
    for (const auto limit :
         {&Limits::live_transactions_max, &Limits::queued_submits_max, &Limits::calls_in_flight_max,
          &Limits::blocking_threads, &Limits::branches_max, &Limits::payload_bytes_max,
          &Limits::definition_bytes_max, &Limits::live_bytes_max, &Limits::queued_bytes_max,
          &Limits::call_bytes_max, &Limits::subscription_bytes_max}) {
      Options options;
      options.limits.*limit = 0;
      CHECK(verdict(options).starts_with("invalid_argument: Limits::"));
      options.limits.*limit = 1;
      CHECK(verdict(options) == "");
    }
    Options options;
    options.limits.gid_bytes_max = 25;
    CHECK(verdict(options) ==
          "invalid_argument: Limits::gid_bytes_max is 25, it must be at least 26, "
          "as a gid that the engine makes");
    options.limits.gid_bytes_max = 26;
    CHECK(verdict(options) == "");
    options.limits.blocking_threads = 1'025;
    CHECK(verdict(options) ==
          "invalid_argument: Limits::blocking_threads is 1025, it must be at most 1024");
    options.limits.blocking_threads = 1'024;
    CHECK(verdict(options) == "");
    options.limits.definition_bytes_max = 100u * 1024 * 1024;
    CHECK(verdict(options) == "");
    options.limits.definition_bytes_max = 200u * 1024 * 1024;
    CHECK(verdict(options).starts_with(
        "invalid_argument: with Limits::definition_bytes_max 209715200, branches_max 1000"));
    options.limits = {.branches_max = 8'000};
    CHECK(verdict(options) == "");
    options.limits.branches_max = 9'000;
    CHECK(verdict(options).starts_with("invalid_argument: with Limits::definition_bytes_max"));
    options.limits.branches_max = ~std::size_t{0};
    CHECK(verdict(options).starts_with("invalid_argument: with Limits::definition_bytes_max"));
  }
}

}  // namespace belay::test
