// One host's limits, in time that is handed in: calls in flight, rate, breaker; and how many hosts
// are remembered.
#include "hook/host.h"

#include <doctest/doctest.h>

#include <string>

#include "hook/host_table.h"

namespace belay::test {
namespace {

using hook::Host;
using Ticket = Host::Ticket;
using End = Host::End;

HookOptions breaker(std::uint32_t failures, Millis first = Millis{1000},
                    Millis most = Millis{3000}) {
  HookOptions options;
  options.breaker_failures = failures;
  options.breaker_open_first = first;
  options.breaker_open_max = most;
  return options;
}

void fail(Host& host, std::uint64_t now) {
  host.end(now, host.begin(now), End::silent, OutcomeKind::unknown);
}

void answer(Host& host, std::uint64_t now, OutcomeKind kind = OutcomeKind::success) {
  host.end(now, host.begin(now), End::answered, kind);
}

}  // namespace

TEST_SUITE("hook/host") {
  TEST_CASE("no more calls than its limit are in flight") {
    HookOptions options;
    options.calls_per_host_max = 2;
    Host host(options);
    host.begin(0);
    CHECK(host.has_place(0));
    const auto ticket = host.begin(0);
    CHECK(host.place_at(0) == Host::kNever);
    host.end(5, ticket, End::answered, OutcomeKind::success);
    CHECK(host.place_at(5) == 5);
    CHECK(host.figures().in_flight == 1);
  }

  TEST_CASE("its rate is kept, with a tenth of a second's calls at once") {
    HookOptions options;
    options.rate_per_host_max = 100;
    Host host(options);
    std::uint64_t now = 1'000'000;
    unsigned calls = 0;
    for (const auto end = now + 2'000; now < end; ++now) {
      while (host.has_place(now)) {
        ++calls;
        answer(host, now);
      }
      CHECK(host.place_at(now) > now);
      CHECK(host.place_at(now) <= now + 10);
    }
    CHECK(calls >= 200);
    CHECK(calls <= 211);
  }

  TEST_CASE("a rate below one a second has its first call at once") {
    HookOptions options;
    options.rate_per_host_max = 0.5;
    Host host(options);
    CHECK(host.has_place(7));
    answer(host, 7);
    CHECK(host.place_at(7) == 2'007);
  }

  TEST_CASE("it opens after so many silent calls in a row, and an answer of any kind counts") {
    const auto options = breaker(3);
    for (const auto kind :
         {OutcomeKind::success, OutcomeKind::failure, OutcomeKind::ongoing, OutcomeKind::unknown}) {
      Host host(options);
      fail(host, 0);
      fail(host, 0);
      answer(host, 0, kind);
      fail(host, 0);
      fail(host, 0);
      CHECK(host.breaker() == BreakerState::closed);
      fail(host, 10);
      CHECK(host.breaker() == BreakerState::open);
      CHECK(host.place_at(10) == 1'010);
      CHECK_FALSE(host.has_place(1'009));
    }
  }

  TEST_CASE("a host that is not reached is silent for its breaker, and counted apart") {
    const auto options = breaker(1);
    Host host(options);
    host.end(0, host.begin(0), End::unreached, OutcomeKind::unknown);
    CHECK(host.breaker() == BreakerState::open);
    CHECK(host.figures().unknown == 1);
    CHECK(host.figures().no_connection == 1);
    fail(host, 1'000);
    CHECK(host.figures().unknown == 2);
    CHECK(host.figures().no_connection == 1);
  }

  TEST_CASE("one call tries an open host; if it fails the wait doubles up to its limit") {
    const auto options = breaker(1);
    Host host(options);
    fail(host, 0);
    std::uint64_t now = 0;
    for (const std::uint64_t wait : {1'000u, 2'000u, 3'000u, 3'000u}) {
      CHECK(host.place_at(now) == now + wait);
      now += wait;
      const auto probe = host.begin(now);
      CHECK(probe == Ticket::probe);
      CHECK(host.breaker() == BreakerState::half_open);
      CHECK(host.place_at(now) == Host::kNever);
      host.end(now, probe, End::silent, OutcomeKind::unknown);
      CHECK(host.breaker() == BreakerState::open);
    }
    CHECK(host.figures().breaker_opened == 5);
    now += 3'000;
    answer(host, now, OutcomeKind::failure);
    CHECK(host.breaker() == BreakerState::closed);
    CHECK(host.has_place(now));
    fail(host, now);
    CHECK(host.place_at(now) == now + 1'000);
  }

  TEST_CASE("calls from before it opened neither open it again nor keep it shut") {
    const auto options = breaker(1);
    Host host(options);
    const auto early = host.begin(0);
    const auto late = host.begin(0);
    fail(host, 0);
    host.end(500, early, End::silent, OutcomeKind::unknown);
    CHECK(host.place_at(500) == 1'000);
    CHECK(host.figures().breaker_opened == 1);
    host.end(600, late, End::answered, OutcomeKind::success);
    CHECK(host.breaker() == BreakerState::closed);
  }

  TEST_CASE("a probe that fails after a late answer closed the breaker is a failure like others") {
    const auto options = breaker(2);
    Host host(options);
    const auto late = host.begin(0);
    fail(host, 0);
    fail(host, 0);
    const auto probe = host.begin(1'000);
    host.end(1'001, late, End::answered, OutcomeKind::success);
    CHECK(host.has_place(1'001));
    host.end(1'002, probe, End::silent, OutcomeKind::unknown);
    CHECK(host.breaker() == BreakerState::closed);
  }

  TEST_CASE("a call that was not made says nothing of the host") {
    const auto options = breaker(2);
    Host host(options);
    const auto not_made = [&host](std::uint64_t now) {
      host.end(now, host.begin(now), End::not_made, OutcomeKind::unknown);
    };
    fail(host, 0);
    not_made(1);
    CHECK(host.breaker() == BreakerState::closed);
    fail(host, 2);  // still the second in a row
    CHECK(host.breaker() == BreakerState::open);
    not_made(1'002);  // its probe: the next one is no sooner, and no later
    CHECK(host.breaker() == BreakerState::open);
    CHECK(host.place_at(1'003) == 2'002);
    answer(host, 2'002);
    CHECK(host.breaker() == BreakerState::closed);
    CHECK(host.figures().in_flight == 0);
  }

  TEST_CASE("without a breaker it never opens") {
    const auto options = breaker(0);
    Host host(options);
    for (int i = 0; i < 1'000; ++i) fail(host, 0);
    CHECK(host.has_place(0));
  }

  TEST_CASE("its figures count what was answered") {
    const auto options = breaker(0);
    Host host(options);
    answer(host, 0);
    answer(host, 0, OutcomeKind::failure);
    answer(host, 0, OutcomeKind::failure);
    answer(host, 0, OutcomeKind::ongoing);
    fail(host, 0);
    const auto figures = host.figures();
    CHECK(figures.success == 1);
    CHECK(figures.failure == 2);
    CHECK(figures.ongoing == 1);
    CHECK(figures.unknown == 1);
    CHECK(figures.in_flight == 0);
  }
}

TEST_SUITE("hook/host_table") {
  const auto anything = [](std::string_view) { return Result<>(); };

  TEST_CASE("targets of one host share a lane, others have their own, and none is used twice") {
    HookOptions options;
    options.hosts_max = 2;
    hook::HostTable table(options, anything);
    const auto first = table.route("http://a/x").entry->lane;
    CHECK(first != 0);
    CHECK(table.route("http://A:80/y").entry->lane == first);
    CHECK(table.route("http://b/").entry->lane != first);
    table.route("http://c/");
    CHECK(table.find(first) == nullptr);
    CHECK(table.route("http://a/x").entry->lane > first);
  }

  TEST_CASE("quiet hosts are forgotten first, and busy ones never") {
    HookOptions options;
    options.hosts_max = 3;
    hook::HostTable table(options, anything);
    table.route("http://busy/").entry->host.begin(0);
    table.route("http://wanted/").entry->wanted = true;
    const auto quiet = table.route("http://quiet/").entry->lane;
    for (int i = 0; i < 100; ++i) table.route("http://host" + std::to_string(i) + "/");
    CHECK(table.find(quiet) == nullptr);
    const auto figures = table.figures();
    REQUIRE(figures.size() == 3);
    CHECK(figures[0].host == "http://busy");
    CHECK(figures[1].host == "http://host99");
    CHECK(figures[2].host == "http://wanted");
  }

  TEST_CASE("many targets of one host do not fill the memory") {
    HookOptions options;
    hook::HostTable table(options, anything);
    const auto lane = table.route("http://a/").entry->lane;
    for (int i = 0; i < 10'000; ++i)
      CHECK(table.route("http://a/" + std::to_string(i)).entry->lane == lane);
    CHECK(table.figures().size() == 1);
  }

  TEST_CASE("a target that cannot or may not be called has no host") {
    HookOptions options;
    hook::HostTable table(options, [](std::string_view target) -> Result<> {
      if (target == "http://bad/") return Error{ErrorCode::forbidden_target, "no"};
      return {};
    });
    CHECK(table.route("http://bad/").target.error().code == ErrorCode::forbidden_target);
    CHECK(table.route("http://:x/").target.error().code == ErrorCode::invalid_argument);
    CHECK(table.figures().empty());
  }
}

}  // namespace belay::test
