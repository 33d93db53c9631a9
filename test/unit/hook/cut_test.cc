// Calls whose time is up while they connect, thousands of them: nobody else is hurt.
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/full_backlog.h"
#include "support/http_peer.h"
#include "unit/hook/hook_site.h"

namespace belay::test {

using namespace std::chrono_literals;

namespace {

// So many calls to these URLs, none of which is answered.
void cut(HookSite& site, const std::vector<std::string>& urls, int calls) {
  std::vector<ports::CallId> ids;
  for (int i = 0; i < calls; ++i) {
    const auto& url = urls[static_cast<std::size_t>(i) % urls.size()];
    ids.push_back(site.start(url, std::chrono::milliseconds(1 + i % 5)));
  }
  for (const auto id : ids) CHECK(site.answer(id).kind() == OutcomeKind::unknown);
}

}  // namespace

TEST_SUITE("hook/cut") {
  TEST_CASE("10,000 connects that are cut off leave healthy calls between them as they are") {
    const FullBacklog first;
    const FullBacklog second;
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    HookSite site;
    for (int round = 0; round < 100; ++round) {
      // One on a new connection, one on a kept one, while sockets' numbers come and go.
      HttpPeer fresh([](const PeerRequest&) { return say(200); });
      const auto on_new = site.start(fresh.url("/"));
      const auto on_kept = site.start(peer.url("/"));
      cut(site, {first.url(), second.url()}, 100);
      CHECK(site.answer(on_new).kind() == OutcomeKind::success);
      CHECK(site.answer(on_kept).kind() == OutcomeKind::success);
      CHECK(site.told(peer.url("/")) == "success");
    }
    CHECK(site.figures(peer.host()).success == 200);
  }

  TEST_CASE("a healthy host that is given too little time is a healthy host afterwards") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    HookSite site;
    for (int round = 0; round < 50; ++round) {
      std::vector<ports::CallId> ids;
      for (int i = 0; i < 20; ++i) ids.push_back(site.start(peer.url("/"), 1ms));
      for (const auto id : ids) {
        const auto kind = site.answer(id).kind();
        CHECK((kind == OutcomeKind::success || kind == OutcomeKind::unknown));
      }
      CHECK(site.told(peer.url("/")) == "success");
    }
  }
}

}  // namespace belay::test
