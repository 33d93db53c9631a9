// Branches that are URLs, through the engine: what they are sent, and what becomes of the
// transaction.
#include <belay/belay.h>
#include <belay/driven.h>
#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "support/http_peer.h"
#include "support/process.h"

namespace belay::test {

using namespace std::chrono_literals;

namespace {

// An engine with short waits on a file of its own.
class Shop {
 public:
  explicit Shop(HookOptions hooks = {}) {
    Options options;
    options.hooks = std::move(hooks);
    options.retry.first_interval = 20ms;
    options.retry.ongoing_interval = 20ms;
    auto opened = Engine::open(dir_.file("state.db"), options);
    REQUIRE(opened);
    engine_ = std::make_unique<Engine>(std::move(*opened));
    REQUIRE(engine_->start());
  }
  Engine& operator*() { return *engine_; }
  Engine* operator->() { return engine_.get(); }
  void destroy() { engine_.reset(); }

 private:
  TempDir dir_;
  std::unique_ptr<Engine> engine_;
};

ErrorCode code_of(const auto& result) { return result ? ErrorCode::corrupt : result.error().code; }

}  // namespace

TEST_SUITE("hook/engine") {
  TEST_CASE("a saga whose branches are URLs is run") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    Shop shop;
    const auto report = shop->run(Saga("g1")
                                      .step(peer.url("/out"), peer.url("/back"), "{\"amount\":3}")
                                      .step(peer.url("/in?x=1"), ""));
    REQUIRE(report);
    CHECK(report->status() == Status::succeed);
    const auto requests = peer.requests();
    REQUIRE(requests.size() == 2);
    CHECK(requests[0].method == "POST");
    CHECK(requests[0].target == "/out?branch_id=01&gid=g1&op=action&trans_type=saga");
    CHECK(requests[0].body == "{\"amount\":3}");
    CHECK(requests[1].method == "GET");
    CHECK(requests[1].target == "/in?x=1&branch_id=02&gid=g1&op=action&trans_type=saga");
    CHECK(peer.connections() == 1);
  }

  TEST_CASE("a saga that is refused by a URL is undone, with the body as its reason") {
    HttpPeer peer([](const PeerRequest& request) {
      return request.target.starts_with("/in") ? say(409, "no such account") : say(200);
    });
    Shop shop;
    const auto report =
        shop->run(Saga("g2").step(peer.url("/out"), peer.url("/back")).step(peer.url("/in"), ""));
    REQUIRE(report);
    CHECK(report->status() == Status::failed);
    CHECK(report->reason().ends_with(": no such account"));
    CHECK(peer.requests().back().target ==
          "/back?branch_id=01&gid=g2&op=compensate&trans_type=saga");
  }
}

}  // namespace belay::test
