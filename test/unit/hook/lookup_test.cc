// A name service that does not answer.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>

#include "support/http_peer.h"
#include "support/silent_lookup.h"
#include "unit/hook/hook_site.h"

using namespace std::chrono_literals;

namespace belay::test {

TEST_SUITE("hook/lookup") {
  TEST_CASE("a lookup that hangs costs its call's time, and holds nobody up") {
    const std::string silent = std::string("http://") + kSilentHost;
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    auto site = std::make_unique<HookSite>();
    const auto begin = std::chrono::steady_clock::now();
    const auto hanging = site->start(silent + "/", 1s);
    CHECK(site->run_until([] { return silent_lookups_begun() == 1; }));
    CHECK(site->call(peer.url("/")).kind() == OutcomeKind::success);
    CHECK_FALSE(site->has(hanging));
    CHECK(site->answer(hanging).kind() == OutcomeKind::unknown);
    CHECK(site->call(peer.url("/")).kind() == OutcomeKind::success);

    // Neither does one that is under way at the end.
    site->start(silent + ":81/");
    CHECK(site->run_until([] { return silent_lookups_begun() == 2; }));
    site.reset();
    CHECK(silent_lookups_ended() == 0);
    CHECK(std::chrono::steady_clock::now() - begin < 5s);
    end_silent_lookups();
  }
}

}  // namespace belay::test
