// Branches over gRPC through the engine: all modes, mixed with HTTP, and what is refused at submit.
#include <belay/belay.h>
#include <belay/driven.h>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "support/h2_peer.h"
#include "support/http_peer.h"
#include "unit/hook/shop.h"

namespace belay::test {

using namespace std::chrono_literals;

namespace {

// "action 01 attempt 1", in the order in which the peer was called.
std::vector<std::string> calls_of(const H2Peer& peer) {
  std::vector<std::string> out;
  for (const auto& one : peer.requests())
    out.push_back(one.field("dtm-op") + " " + one.field("dtm-branch_id") + " attempt " +
                  one.field("belay-attempt"));
  return out;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_SUITE("hook/grpc_engine") {
  TEST_CASE("a saga may mix gRPC and HTTP, and is undone on both") {
    H2Peer grpc([](const H2Request& request) {
      return request.field(":path") == "/busi.Busi/TransIn" ? status(10, "no account") : H2Answer();
    });
    HttpPeer http([](const PeerRequest&) { return say(200); });
    Shop shop;
    const auto report = shop->run(Saga("g1")
                                      .step(grpc.target("/busi.Busi/TransOut"),
                                            grpc.target("/busi.Busi/TransOutRevert"), "\x0a\x01x")
                                      .step(http.url("/a"), http.url("/b"), "{}")
                                      .step(grpc.target("/busi.Busi/TransIn"), ""));
    REQUIRE(report);
    CHECK(report->status() == Status::failed);
    CHECK(report->reason().find("no account") != std::string::npos);
    CHECK(calls_of(grpc) ==
          Lines{"action 01 attempt 1", "action 03 attempt 1", "compensate 01 attempt 1"});
    CHECK(grpc.requests()[2].body == std::string("\0\0\0\0\x03\x0a\x01x", 8));
    CHECK(http.requests().size() == 2);
  }

  TEST_CASE("ONGOING and no answer are asked again, each attempt with its number") {
    std::atomic<int> calls = 0;
    H2Peer peer([&](const H2Request&) {
      const int nth = ++calls;
      return nth == 1 ? status(9, "later") : nth == 2 ? status(2, "oops") : H2Answer();
    });
    Shop shop;
    const auto report = shop->run(Saga("g1").step(peer.target(), ""));
    REQUIRE(report);
    CHECK(report->status() == Status::succeed);
    CHECK(calls_of(peer) ==
          Lines{"action 01 attempt 1", "action 01 attempt 2", "action 01 attempt 3"});
  }

  TEST_CASE("tcc, xa, messages and workflows say what they are") {
    H2Peer peer([](const H2Request& request) {
      return request.field("dtm-trans_type") == "msg" && request.field("dtm-op") == "msg"
                 ? status(10, "rolled back")
                 : H2Answer();
    });
    Shop shop;
    const auto to = peer.target();
    REQUIRE(shop->run(Tcc("t1").branch(to, to, to, "p")));
    const auto msg = shop->run(Msg("m1").to(to, "p"));
    REQUIRE(msg);
    CHECK(msg->status() == Status::succeed);
    CHECK(calls_of(peer) ==
          Lines{"try 01 attempt 1", "confirm 01 attempt 1", "action 01 attempt 1"});
    CHECK(peer.requests()[0].field("dtm-trans_type") == "tcc");
    CHECK(peer.requests()[2].field("dtm-trans_type") == "msg");
    CHECK(peer.requests()[2].field("dtm-gid") == "m1");
  }

  TEST_CASE("what cannot be called is refused at submit, by its branch and field") {
    Shop shop;
    const auto refusal = [&](const Saga& saga) { return told(shop->submit(saga)); };
    const std::string_view good = "grpc://h:1/a.B/C";
    CHECK(refusal(Saga("g").step("grpc://h/a.B/C", "")) ==
          "invalid_argument: the action of branch 01: the URL 'grpc://h/a.B/C' cannot be called: "
          "a gRPC target names its port: grpc://HOST:PORT/package.Service/Method");
    CHECK(refusal(Saga("g").step(good, "grpcs://h:1/a.B")).find("the compensate of branch 01") !=
          std::string::npos);
    CHECK(refusal(Saga("g").step(good, "").header("a b", "x")) ==
          "invalid_argument: the transaction: 'a b' is no key of gRPC's metadata, which has "
          "letters, digits, '-', '_' and '.' only");
    CHECK(refusal(Saga("g").step(good, "").header("X-Name", "\xc3\xa9"))
              .find("the value of the header 'X-Name'") != std::string::npos);
    CHECK(refusal(Saga("g\xc3\xa9").step(good, "")).find("the gid cannot be sent") !=
          std::string::npos);
    CHECK(refusal(Saga(" g").step(good, "")).find("the gid cannot be sent") != std::string::npos);
    CHECK(refusal(Saga("g\xc3\xa9").step("http://127.0.0.1:1/", "")) == "accepted");
    CHECK(refusal(Saga("g2").step(good, "").header("X-bin", "\xc3\xa9")) == "accepted");
    CHECK_FALSE(shop->find("g"));
  }

  TEST_CASE("an engine closes at once with calls in flight, and the next one makes them again") {
    H2Answer hang;
    hang.how = H2Answer::How::hang;
    std::atomic<bool> hangs = true;
    H2Peer peer([&](const H2Request&) { return hangs ? hang : H2Answer(); });
    const TempDir dir;
    {
      auto engine = Engine::open(dir.file("state.db"));
      REQUIRE(engine);
      REQUIRE(engine->start());
      REQUIRE(engine->submit(Saga("g1").step(peer.target(), "")));
      while (peer.requests().empty()) std::this_thread::yield();
    }
    hangs = false;
    auto engine = Engine::open(dir.file("state.db"));
    REQUIRE(engine);
    REQUIRE(engine->start());
    const auto report = engine->wait("g1", Millis{60'000});
    REQUIRE(report);
    CHECK(report->status() == Status::succeed);
  }
}

}  // namespace belay::test
