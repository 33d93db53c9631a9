// Branches over gRPC: what goes out, how answers are read, and peers that misbehave.
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "hook/url.h"
#include "support/h2_peer.h"
#include "unit/hook/hook_site.h"

namespace belay::test {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kPath = "/busi.Busi/TransOut";

std::string grpc_told(H2Answer answer) {
  H2Peer peer([&](const H2Request&) { return answer; });
  HookSite site;
  return site.told(peer.target());
}

std::string flaw_in(std::string_view target) {
  const auto made = hook::make_target(target);
  return made ? "" : made.error().detail;
}

H2Answer with_body(std::string body) {
  H2Answer answer;
  answer.body = std::move(body);
  return answer;
}

H2Answer yes(const H2Request&) { return {}; }

// The kernel accepts for it, and nobody reads.
class SilentPeer {
 public:
  SilentPeer() {
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) == 0);
    REQUIRE(::listen(fd_, 16) == 0);
    socklen_t size = sizeof address_;
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &size) == 0);
  }
  ~SilentPeer() {
    for (const int fd : accepted_) ::close(fd);
    ::close(fd_);
  }
  SilentPeer(const SilentPeer&) = delete;
  SilentPeer& operator=(const SilentPeer&) = delete;

  std::string target() const {
    return "grpcs://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)).append(kPath);
  }
  // How many have connected so far.
  std::size_t accepts() {
    for (int fd; (fd = ::accept(fd_, nullptr, nullptr)) >= 0;) accepted_.push_back(fd);
    return accepted_.size();
  }

 private:
  int fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address_{AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
  std::vector<int> accepted_;
};

std::string grpc_gone() {
  return H2Peer([](const H2Request&) { return H2Answer(); }).target();
}

}  // namespace

TEST_SUITE("hook/grpc") {
  TEST_CASE("a call is what dtm's services expect") {
    H2Peer peer(yes);
    HookSite site;
    const std::vector<Header> headers = {{"X-Tenant", "t1"},
                                         {"Trace-Bin", "\x01\xff"},
                                         {"grpc-timeout", "1S"},
                                         {"dtm-gid", "other"},
                                         {"Content-Type", "text/plain"}};
    Call call;
    call.gid = "g1";
    call.mode = Mode::saga;
    call.branch_id = "01";
    call.op = Op::action;
    call.payload = std::string_view("\x0a\x01x", 3);
    call.timeout = 3s;
    call.attempt = 2;
    call.fence = 7;
    call.headers = headers;
    call.trace_parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    const auto target = peer.target();
    call.target = target;
    site.hooks().call(1, call);
    CHECK(site.answer(1).kind() == OutcomeKind::success);
    REQUIRE(peer.requests().size() == 1);
    const auto got = peer.requests()[0];
    CHECK(got.body == std::string("\0\0\0\0\x03\x0a\x01x", 8));
    const std::vector<std::pair<std::string, std::string>> expected = {
        {":method", "POST"},
        {":scheme", "http"},
        {":path", std::string(kPath)},
        {":authority", "127.0.0.1:" + std::to_string(peer.port())},
        {"te", "trailers"},
        {"content-type", "application/grpc"},
        {"grpc-accept-encoding", "identity"},
        {"grpc-timeout", "3000m"},
        {"dtm-gid", "g1"},
        {"dtm-trans_type", "saga"},
        {"dtm-branch_id", "01"},
        {"dtm-op", "action"},
        {"dtm-dtm", ""},
        {"belay-attempt", "2"},
        {"belay-fence", "7"},
        {"x-tenant", "t1"},
        {"trace-bin", "Af8="},
    };
    for (const auto& field : expected) {
      CAPTURE(field.first);
      CHECK(got.field(field.first) == field.second);
    }
    CHECK(got.field("traceparent").starts_with("00-0123456789abcdef0123456789abcdef-"));
    CHECK(got.field("traceparent") != call.trace_parent);
    CHECK(got.field("user-agent").starts_with("belay/"));
  }

  TEST_CASE("secrets and what comes once are kept out of the table of headers") {
    H2Peer peer(yes);
    HookSite site;
    const std::vector<Header> headers = {{"Authorization", "Bearer s"}, {"x-tenant", "t1"}};
    Call call;
    call.gid = "g1";
    call.branch_id = "01";
    call.timeout = 3s;
    call.headers = headers;
    call.trace_parent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";
    const auto target = peer.target();
    call.target = target;
    site.hooks().call(1, call);
    CHECK(site.answer(1).kind() == OutcomeKind::success);
    REQUIRE(peer.requests().size() == 1);
    CHECK(peer.requests()[0].field("authorization") == "Bearer s");
    const std::vector<std::string> expected = {"dtm-gid", "authorization", "traceparent"};
    CHECK(peer.requests()[0].never_indexed == expected);
  }

  TEST_CASE("a workflow's callback gets its data as the first field, under its name") {
    H2Peer peer(yes);
    HookSite site;
    Call call;
    call.gid = "g1";
    call.mode = Mode::workflow;
    call.branch_id = "00";
    call.op = Op::query;
    call.workflow = "wf-1";
    call.payload = "\x01\x02\xff";
    call.timeout = 3s;
    const auto target = peer.target("/workflow.Workflow/Execute");
    call.target = target;
    site.hooks().call(1, call);
    CHECK(site.answer(1).kind() == OutcomeKind::success);
    const std::string large(200, 'x');
    call.payload = large;
    site.hooks().call(2, call);
    CHECK(site.answer(2).kind() == OutcomeKind::success);
    call.payload = {};
    site.hooks().call(3, call);
    CHECK(site.answer(3).kind() == OutcomeKind::success);
    const auto got = peer.requests();
    REQUIRE(got.size() == 3);
    CHECK(got[0].body == std::string("\0\0\0\0\x05\x0a\x03\x01\x02\xff", 10));
    CHECK(got[0].field("dtm-op") == "wf-1");
    CHECK(got[1].body == std::string("\0\0\0\0\xcb\x0a\xc8\x01", 8) + large);
    CHECK(got[2].body == std::string(5, '\0'));
  }

  TEST_CASE("a status is read as dtm reads it") {
    CHECK(grpc_told(status(10, "no stock")) == "failure: no stock");
    CHECK(grpc_told(status(10)) == "failure");
    CHECK(grpc_told(status(10, "ONGOING")) == "ongoing: ONGOING");
    CHECK(grpc_told(status(10, "still ONGOING")) == "failure: still ONGOING");
    CHECK(grpc_told(status(9, "later")) == "ongoing: later");
    CHECK(grpc_told(status(2, "FAILURE")) == "unknown: UNKNOWN: FAILURE");
    CHECK(grpc_told(status(16)) == "unknown: UNAUTHENTICATED");
    CHECK(grpc_told(status(99)) == "unknown: 99");
    CHECK(grpc_told(status(10, "50%25 off%2C %E4%BD%A0")) == "failure: 50% off, 你");
    CHECK(grpc_told(status(10, "100%")) == "failure: 100%");
    CHECK(grpc_told(trailers_only({{":status", "200"},
                                   {"content-type", "application/grpc+proto"},
                                   {"grpc-status", "10"},
                                   {"grpc-message", "no"}})) == "failure: no");
  }

  TEST_CASE("what cannot be read is never a success") {
    CHECK(grpc_told({}) == "success");
    CHECK(grpc_told(with_body(std::string("\0\0\0\0\x02hi", 7))) == "success");
    const std::string cannot = "unknown: the response cannot be read: ";
    CHECK(grpc_told(with_body("")) == cannot + "it has no message");
    CHECK(grpc_told(with_body(std::string(3, '\0'))) == cannot + "its message was cut");
    CHECK(grpc_told(with_body(std::string("\0\0\0\0\x05hi", 7))) == cannot + "its message was cut");
    CHECK(grpc_told(with_body(std::string(10, '\0'))) == cannot + "it has more than one message");
    CHECK(grpc_told(with_body(std::string("\1\0\0\0\0", 5))) ==
          cannot + "its message is compressed");
    CHECK(grpc_told(status(0)) == cannot + "it has no message");
    H2Answer odd;
    odd.trailers = {{"grpc-status", "0"}, {"grpc-status", "0"}};
    CHECK(grpc_told(odd) == cannot + "it has no status that is one number");
    odd.trailers = {{"grpc-status", " 0"}};
    CHECK(grpc_told(odd).starts_with("unknown: "));
    odd.trailers = {{"grpc-status", "ok"}};
    CHECK(grpc_told(odd) == cannot + "it has no status that is one number");
    odd.trailers = {{"other", "x"}};
    CHECK(grpc_told(odd) == cannot + "it has no status");
    odd.trailers.clear();
    CHECK(grpc_told(odd) == cannot + "it has no status");
    odd.head.emplace_back("grpc-status", "0");  // the end has not said so
    CHECK(grpc_told(odd) == cannot + "it has no status");
    odd.head.pop_back();
    odd.head = {{":status", "200"}, {"content-type", "text/html"}};
    CHECK(grpc_told(odd) == "unknown: HTTP 200, no gRPC");
    CHECK(grpc_told(trailers_only({{":status", "404"}})) == "unknown: HTTP 404, no gRPC");
    CHECK(grpc_told(trailers_only({{":status", "503"}})) == "unknown: HTTP 503, no gRPC");
  }

  TEST_CASE("a service may say when it is to be asked again") {
    auto answer = status(14, "busy");
    answer.trailers.emplace_back("grpc-retry-pushback-ms", "1500");
    H2Peer peer([&](const H2Request&) { return answer; });
    HookSite site;
    CHECK(site.call(peer.target()).retry_after() == 1500ms);
    answer.trailers.back().second = "-1";
    CHECK(site.call(peer.target()).retry_after() == 0ms);
    answer = status(10, "no");
    answer.trailers.emplace_back("grpc-retry-pushback-ms", "1500");
    CHECK(site.call(peer.target()).retry_after() == 0ms);
  }

  TEST_CASE("calls share a connection, and none is opened without a call") {
    H2Peer peer(yes);
    HookSite site;
    const auto target = peer.target();
    for (int i = 0; i < 200; ++i) site.start(target);
    CHECK(site.run_until([&] { return site.answers() == 200; }));
    for (ports::CallId id = 1; id <= 200; ++id)
      CHECK(site.answer(id).kind() == OutcomeKind::success);
    CHECK(peer.connections() == 1);
    const auto figures = site.figures("grpc://127.0.0.1:" + std::to_string(peer.port()));
    CHECK(figures.success == 200);
    CHECK(figures.in_flight == 0);
  }

  TEST_CASE("more calls than the peer takes at once wait for their turn") {
    H2Peer peer(yes, true, 2);
    HookSite site;
    for (int i = 0; i < 50; ++i) site.start(peer.target());
    CHECK(site.run_until([&] { return site.answers() == 50; }));
    CHECK(peer.connections() == 1);
    for (ports::CallId id = 1; id <= 50; ++id)
      CHECK(site.answer(id).kind() == OutcomeKind::success);
  }

  TEST_CASE("nobody there is no connection, and opens the breaker") {
    HookOptions options;
    options.breaker_failures = 3;
    HookSite site(options);
    const auto target = grpc_gone();
    const auto lane = site.hooks().lane_of(target);
    for (int i = 0; i < 3; ++i) {
      CHECK(site.hooks().has_place(lane));
      CHECK(site.told(target) == "unknown: no connection: connection refused");
    }
    CHECK_FALSE(site.hooks().has_place(lane));
    REQUIRE(site.hooks().why_shut(lane));
    const auto host = target.substr(0, target.rfind(kPath));
    CHECK(site.figures(host).no_connection == 3);
    CHECK(site.figures(host).breaker == BreakerState::open);
  }

  TEST_CASE("UNAVAILABLE and a gateway's 503 open the breaker, other statuses do not") {
    for (const auto& one :
         std::vector<std::pair<H2Answer, bool>>{{status(14, "down"), true},
                                                {trailers_only({{":status", "503"}}), true},
                                                {status(13, "broken"), false},
                                                {status(10, "no"), false}}) {
      HookOptions options;
      options.breaker_failures = 2;
      H2Peer peer([&](const H2Request&) { return one.first; });
      HookSite site(options);
      site.call(peer.target());
      site.call(peer.target());
      CHECK(site.hooks().why_shut(site.hooks().lane_of(peer.target())).has_value() == one.second);
    }
  }

  TEST_CASE("a call within an answer may take the place of the answer's host") {
    H2Peer a(yes), b(yes);
    HookOptions options;
    options.hosts_max = 1;
    HookSite site(options);
    site.on_answer = [&](ports::CallId id) {
      if (id < 10) site.start((id % 2 == 0 ? a : b).target());
    };
    site.start(a.target());
    CHECK(site.run_until([&] { return site.answers() == 10; }));
    CHECK(site.answer(10).kind() == OutcomeKind::success);
    CHECK(a.connections() + b.connections() > 2);
  }

  TEST_CASE("a call ends at its time, and the stream is reset") {
    H2Peer peer([](const H2Request&) {
      H2Answer answer;
      answer.how = H2Answer::How::hang;
      return answer;
    });
    HookSite site;
    CHECK(site.told(peer.target(), 1s) == "unknown: no answer within 1000 ms");
    CHECK(site.run_until([&] { return peer.resets() == 1; }));
  }

  TEST_CASE("a peer that never reads costs a call its time and no more") {
    H2Peer peer(yes, false);
    HookSite site;
    const std::string large(8 * 1024 * 1024, 'x');
    const auto large_call = site.start(peer.target(), 2s, large);
    CHECK(site.answer(large_call).reason() == "no answer within 2000 ms");
    CHECK(site.told(peer.target(), 50ms).starts_with("unknown: no "));
  }

  TEST_CASE("a peer that accepts and says nothing in TLS is given up, and tried anew") {
    SilentPeer peer;
    HookSite site;
    const auto call = site.start(peer.target(), 30s);
    CHECK(site.told(peer.target(), 50ms) == "unknown: no connection within 50 ms");
    site.run_until([&] { return site.has(call); });  // answer() alone waits for less
    CHECK(site.answer(call).reason() == "no connection: the connection took too long");
    CHECK(peer.accepts() == 1);
    site.start(peer.target(), 30s);
    CHECK(site.run_until([&] { return peer.accepts() == 2; }));
  }

  TEST_CASE("a large message arrives whole") {
    H2Peer peer(yes);
    HookSite site;
    std::string large(5 * 1024 * 1024, 'x');
    large.back() = 'y';
    CHECK(site.answer(site.start(peer.target(), HookSite::kLong, large)).kind() ==
          OutcomeKind::success);
    REQUIRE(peer.requests().size() == 1);
    CHECK(peer.requests()[0].body.substr(5) == large);
  }

  TEST_CASE("a huge answer is thrown away as it comes, and one beyond the limit is not read") {
    H2Answer huge;
    huge.body = std::string("\0\x02\0\0\0", 5);  // 32 MiB
    huge.zeros = 32ULL * 1024 * 1024;
    HookOptions options;
    options.response_bytes_max = 64 * 1024 * 1024;
    H2Peer peer([&](const H2Request&) { return huge; });
    {
      HookSite site(options);
      CHECK(site.told(peer.target()) == "success");
    }
    HookSite site;
    CHECK(site.told(peer.target()) ==
          "unknown: the response cannot be read: its message is larger than 1048576 bytes");
    CHECK(site.run_until([&] { return peer.resets() == 1; }));
  }

  TEST_CASE("a stream that the peer resets has no answer") {
    H2Answer reset;
    reset.how = H2Answer::How::reset;
    reset.code = 2;
    CHECK(grpc_told(reset) == "unknown: no answer: the stream was reset: INTERNAL_ERROR");
    reset.code = 0;
    CHECK(grpc_told(reset) == "unknown: no answer: the stream was ended");
  }

  TEST_CASE("a stream that was refused is asked once more, since the peer has not seen it") {
    std::atomic<int> calls = 0;
    H2Answer refused;
    refused.how = H2Answer::How::reset;
    refused.code = 7;
    H2Peer peer([&](const H2Request&) { return ++calls == 1 ? refused : H2Answer(); });
    HookSite site;
    CHECK(site.told(peer.target()) == "success");
    CHECK(calls == 2);
    H2Peer never([&](const H2Request&) { return refused; });
    CHECK(site.told(never.target()) ==
          "unknown: no connection: the stream was reset: REFUSED_STREAM");
    CHECK(never.requests().size() == 2);
  }

  TEST_CASE("GOAWAY in the middle: what was not worked on goes to a new connection") {
    std::atomic<int> calls = 0;
    H2Peer peer([&](const H2Request&) {
      H2Answer answer;
      if (++calls == 5) answer.how = H2Answer::How::go_away;
      return answer;
    });
    HookSite site;
    for (int i = 0; i < 20; ++i) site.start(peer.target());
    CHECK(site.run_until([&] { return site.answers() == 20; }));
    for (ports::CallId id = 1; id <= 20; ++id)
      CHECK(site.answer(id).kind() == OutcomeKind::success);
    CHECK(peer.connections() == 2);
  }

  TEST_CASE("GOAWAY after an answer: the next call gets a new connection") {
    H2Peer peer([&](const H2Request&) {
      H2Answer answer;
      answer.how = H2Answer::How::go_away_after;
      return answer;
    });
    HookSite site;
    for (int i = 1; i <= 3; ++i) {
      CHECK(site.told(peer.target()) == "success");
      CHECK(peer.requests().back().connection == i);
    }
  }

  TEST_CASE("a connection that is lost in a call is no answer; an idle one is replaced") {
    H2Answer close;
    close.how = H2Answer::How::close;
    const auto closed = grpc_told(close);  // by an end, or by a reset if it had not read all
    CAPTURE(closed);
    CHECK(closed.starts_with("unknown: no answer: "));
    H2Peer peer(yes);
    HookSite site;
    CHECK(site.told(peer.target()) == "success");
    peer.drop();
    for (int i = 0; i < 5; ++i) CHECK(site.told(peer.target()) == "success");
    CHECK(peer.connections() == 2);
  }

  TEST_CASE("calls that a fresh connection takes with it may have been seen: none is made again") {
    std::atomic<int> seen = 0;
    H2Peer peer([&](const H2Request&) {
      H2Answer answer;
      answer.how = ++seen < 3 ? H2Answer::How::hang : H2Answer::How::close;
      return answer;
    });
    HookSite site;
    for (int i = 0; i < 3; ++i) site.start(peer.target());
    CHECK(site.run_until([&] { return site.answers() == 3; }));
    CHECK(site.told(peer.target()).starts_with("unknown: no answer: "));
    CHECK(seen == 4);  // the call that came last alone
  }

  TEST_CASE("calls in flight are dropped at the end, whatever state they are in") {
    H2Answer hang;
    hang.how = H2Answer::How::hang;
    H2Peer peer([&](const H2Request&) { return hang; });
    HookSite site;
    site.start(peer.target());
    CHECK(site.run_until([&] { return peer.requests().size() == 1; }));
    site.start(peer.target());
    site.start(grpc_gone());
    site.start("grpc://no-such-name.invalid:1/a.B/C");
  }

  TEST_CASE("a name is looked up, and one that does not exist is no connection") {
    H2Peer peer(yes);
    HookSite site;
    CHECK(site.told("grpc://localhost:" + std::to_string(peer.port()) + "/a.B/C") == "success");
    CHECK(site.told("grpc://no-such-name.invalid:1/a.B/C")
              .starts_with("unknown: no connection: the name is not found"));
  }

  TEST_CASE("link-local addresses are guarded as for HTTP") {
    HookOptions options;
    options.refuse_link_local = true;
    HookSite site(options);
    CHECK(site.hooks().check("grpc://169.254.169.254:80/a.B/C").error().code ==
          ErrorCode::forbidden_target);
    CHECK(site.told("grpc://169.254.169.254:80/a.B/C").find("link-local") != std::string::npos);
  }

  TEST_CASE("allowed targets name schemes, hosts and ports of gRPC too") {
    HookOptions options;
    options.allowed_targets = {"grpc://stock.example", "*.lan:50051", "http://web.example"};
    HookSite site(options);
    CHECK(site.hooks().check("grpc://stock.example:1/a.B/C"));
    CHECK(site.hooks().check("grpcs://a.lan:50051/a.B/C"));
    CHECK_FALSE(site.hooks().check("grpcs://stock.example:1/a.B/C"));
    CHECK_FALSE(site.hooks().check("http://stock.example/"));
    CHECK_FALSE(site.hooks().check("grpc://web.example:80/a.B/C"));
    CHECK_FALSE(site.hooks().check("grpc://a.lan:50052/a.B/C"));
  }

  TEST_CASE("a target that cannot be called is refused in words") {
    CHECK(flaw_in("grpc://h:1/a.B/C").empty());
    CHECK(flaw_in("GRPCS://[::1]:1/a.B/C").empty());
    for (const auto* wrong :
         {"grpc://h/a.B/C", "grpc://h:0/a.B/C", "grpc://h:70000/a.B/C", "grpc://h:1", "grpc://h:1/",
          "grpc://h:1/a.B", "grpc://h:1/a.B/", "grpc://h:1//C", "grpc://h:1/a.B/C/D",
          "grpc://h:1/a.B/C?x=1", "grpc://h:1/a.B/C#x", "grpc://u:p@h:1/a.B/C", "grpc://:1/a.B/C",
          "grpc://h:1/a B/C", "grpc://h:1/a.B/C\n", "grpc://h:1/a%2FB/C"}) {
      CAPTURE(wrong);
      CHECK(flaw_in(wrong).find("cannot be called") != std::string::npos);
    }
    const auto made = hook::make_target("GRPC://Stock.Example:8443/busi.Busi/TransOut");
    REQUIRE(made);
    CHECK(made->host == "grpc://stock.example:8443");
    CHECK(made->method == "/busi.Busi/TransOut");
    CHECK(made->authority == "stock.example:8443");
  }
}

}  // namespace belay::test
