// How long a connection is kept.
#include <doctest/doctest.h>

#include "support/h2_peer.h"
#include "unit/h2/client_site.h"

namespace belay::test {
namespace {

// Hangs where the path says so.
H2Answer answer_by_path(const H2Request& request) {
  H2Answer answer;
  if (request.field(":path") == "/a.B/Hang") answer.how = H2Answer::How::hang;
  return answer;
}

}  // namespace

TEST_SUITE("h2/client") {
  TEST_CASE("a connection that became silent is asked by a ping, and replaced") {
    H2Peer peer(answer_by_path);
    h2::ClientOptions options;
    options.ping_ms = 50;
    options.sweep_ms = 10;
    ClientSite site(options);
    CHECK(site.told(peer.target()) == "complete");
    peer.freeze();
    const auto& open = site.start(peer.target());
    // Each call that gets no answer may be the one on the silent connection.
    int tries = 0;
    while (site.told(peer.target(), Millis{100}) == "timed out" && tries < 200) ++tries;
    CHECK(tries > 0);
    CHECK(peer.requests().back().connection > 1);
    CHECK(peer.open() > 1);  // the silent one is left to its open request
    CHECK_FALSE(open.is_done());
  }

  TEST_CASE("a connection that answers a ping stays, though a call had no answer") {
    H2Peer peer(answer_by_path);
    h2::ClientOptions options;
    options.ping_ms = 60'000;
    options.sweep_ms = 10;
    ClientSite site(options);
    CHECK(site.told(peer.target()) == "complete");
    CHECK(site.told(peer.target("/a.B/Hang"), Millis{50}) == "timed out");
    CHECK(site.run_until([&] { return peer.pings() == 1; }));
    CHECK(site.told(peer.target()) == "complete");
    CHECK(site.told(peer.target("/a.B/Hang"), Millis{50}) == "timed out");
    CHECK(site.run_until([&] { return peer.pings() == 2; }));
    CHECK(site.told(peer.target()) == "complete");
    CHECK(peer.connections() == 1);
  }

  TEST_CASE("an idle connection is closed after its time, and one with a call is not idle") {
    H2Peer peer(answer_by_path);
    h2::ClientOptions options;
    options.idle_ms = 20;
    options.sweep_ms = 5;
    ClientSite site(options);
    CHECK(site.told(peer.target()) == "complete");
    CHECK(site.run_until([&] { return peer.connections() == 1 && peer.open() == 0; }));
    CHECK(site.told(peer.target("/a.B/Hang"), Millis{500}) == "timed out");
    CHECK(site.run_until([&] { return peer.connections() == 2 && peer.open() == 0; }));
    CHECK(site.told(peer.target()) == "complete");
    CHECK(peer.connections() == 3);
  }

  TEST_CASE("a connection that is not idle for so long is kept") {
    H2Peer peer(answer_by_path);
    h2::ClientOptions options;
    options.sweep_ms = 1;
    ClientSite site(options);
    for (int i = 0; i < 20; ++i) CHECK(site.told(peer.target()) == "complete");
    CHECK(peer.connections() == 1);
  }
}

}  // namespace belay::test
