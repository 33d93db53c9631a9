// Calls of real peers, kind ones and others.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <thread>

#include "support/http_peer.h"
#include "unit/hook/hook_site.h"

namespace belay::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

// A port of loopback that nobody listens on: a peer's that is gone.
std::string nobody() {
  return HttpPeer([](const PeerRequest&) { return nothing(); }).host();
}

constexpr std::string_view kGzip = "Content-Encoding: gzip";

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

// Redirects its only caller to itself, and is gone before the caller comes again.
class LastRedirect {
 public:
  LastRedirect() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, any, size) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    REQUIRE(::getsockname(listener_, any, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { answer(); });
  }
  LastRedirect(const LastRedirect&) = delete;
  LastRedirect& operator=(const LastRedirect&) = delete;
  ~LastRedirect() { thread_.join(); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  void answer() const {
    constexpr std::string_view kAnswer =
        "HTTP/1.1 307 Go\r\nLocation: /end?branch_id=01&gid=g1&op=action&trans_type=saga\r\n"
        "Content-Length: 0\r\nConnection: close\r\n\r\n";
    const int caller = ::accept(listener_, nullptr, nullptr);
    ::close(listener_);
    char request[4'096];
    const bool was_asked = ::read(caller, request, sizeof request) > 0;
    if (was_asked && ::write(caller, kAnswer.data(), kAnswer.size()) < 0) return;
    ::close(caller);
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

bool is_between(Clock::duration time, Clock::duration least, Clock::duration most) {
  return time >= least && time <= most;
}

}  // namespace

TEST_SUITE("hook/hooks") {
  TEST_CASE("what is sent, to the letter") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    HookSite site;
    CHECK(site.call(peer.url("/a/../b?x=1"), 5s, "{\"n\":1}").kind() == OutcomeKind::success);
    const auto requests = peer.requests();
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].method == "POST");
    CHECK(requests[0].target == "/a/../b?x=1&branch_id=01&gid=g1&op=action&trans_type=saga");
    CHECK(requests[0].body == "{\"n\":1}");
    auto headers = requests[0].headers;
    std::sort(headers.begin(), headers.end());
    CHECK(headers ==
          std::vector<std::string>{
              "Accept-Encoding: identity", "Accept: application/json", "Belay-Attempt: 1",
              "Belay-Fence: 0", "Content-Length: 7", "Content-Type: application/json",
              "Host: 127.0.0.1:" + std::to_string(peer.port()), "User-Agent: belay/0.1.0"});
  }

  TEST_CASE("a large body goes out at once, without asking whether it may") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    HookSite site;
    const std::string body(3 * 1024 * 1024, 'x');
    CHECK(site.call(peer.url("/"), 5s, body).kind() == OutcomeKind::success);
    CHECK(peer.requests()[0].body == body);
    CHECK(peer.requests()[0].header("Expect") == "(none)");
  }

  TEST_CASE("answers are read by status and words") {
    HttpPeer peer([](const PeerRequest& request) {
      const auto status = std::stoi(request.target.substr(1, 3));
      return say(status, request.target.substr(4, request.target.find('?') - 4));
    });
    HookSite site;
    const std::pair<std::string, std::string> rows[] = {{"/200", "success"},
                                                        {"/200FAILURE", "failure: FAILURE"},
                                                        {"/200ONGOING", "ongoing: ONGOING"},
                                                        {"/409no", "failure: no"},
                                                        {"/409ONGOING", "ongoing: ONGOING"},
                                                        {"/425", "ongoing"},
                                                        {"/500FAILURE", "failure: FAILURE"},
                                                        {"/500oops", "unknown: HTTP 500: oops"},
                                                        {"/201", "unknown: HTTP 201"},
                                                        {"/404", "unknown: HTTP 404"}};
    for (const auto& [path, told] : rows) CHECK(site.told(peer.url(path)) == told);
    CHECK(peer.connections() == 1);  // one after the other, on the same one
    const auto figures = site.figures(peer.host());
    CHECK(figures.success == 1);
    CHECK(figures.failure == 3);
    CHECK(figures.ongoing == 3);
    CHECK(figures.unknown == 3);
  }

  TEST_CASE("a body that is packed is read, or is no answer; never is it taken for a yes") {
    // {"dtm_result":"FAILURE"}, by each coding's own tool.
    const std::string gzip = bytes(
        {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a, 0x29, 0xc9,
         0x8d, 0x2f, 0x4a, 0x2d, 0x2e, 0xcd, 0x29, 0x51, 0xb2, 0x52, 0x72, 0x73, 0xf4, 0xf4, 0x09,
         0x0d, 0x72, 0x55, 0xaa, 0x05, 0x00, 0xc9, 0x7b, 0x92, 0x6f, 0x18, 0x00, 0x00, 0x00});
    const std::string deflate =
        bytes({0x78, 0x9c, 0xab, 0x56, 0x4a, 0x29, 0xc9, 0x8d, 0x2f, 0x4a, 0x2d,
               0x2e, 0xcd, 0x29, 0x51, 0xb2, 0x52, 0x72, 0x73, 0xf4, 0xf4, 0x09,
               0x0d, 0x72, 0x55, 0xaa, 0x05, 0x00, 0x6b, 0x1b, 0x08, 0x06});
    const std::string br =
        bytes({0x8b, 0x0b, 0x80, 0x7b, 0x22, 0x64, 0x74, 0x6d, 0x5f, 0x72, 0x65, 0x73, 0x75, 0x6c,
               0x74, 0x22, 0x3a, 0x22, 0x46, 0x41, 0x49, 0x4c, 0x55, 0x52, 0x45, 0x22, 0x7d, 0x03});
    const std::string zstd =
        bytes({0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x18, 0xc1, 0x00, 0x00, 0x7b, 0x22,
               0x64, 0x74, 0x6d, 0x5f, 0x72, 0x65, 0x73, 0x75, 0x6c, 0x74, 0x22,
               0x3a, 0x22, 0x46, 0x41, 0x49, 0x4c, 0x55, 0x52, 0x45, 0x22, 0x7d});
    HttpPeer peer([&](const PeerRequest& request) {
      const auto path = request.target.substr(1, request.target.find('?') - 1);
      const auto& body = path.find("gzip") != path.npos ? gzip
                         : path == "deflate"            ? deflate
                         : path == "br"                 ? br
                                                        : zstd;
      if (path == "cut-gzip") return say(200, body.substr(0, body.size() - 3), kGzip);
      return say(200, body, "Content-Encoding: " + path);
    });
    HookSite site;
    const std::string no = R"(failure: {"dtm_result":"FAILURE"})";
    for (const auto* path : {"/gzip", "/x-gzip", "/deflate"})
      CHECK(site.told(peer.url(path)) == no);
    for (const auto* path : {"/br", "/zstd", "/gzip,gzip", "/cut-gzip"})
      CHECK(site.call(peer.url(path)).kind() == OutcomeKind::unknown);
    CHECK(peer.connections() == 1);  // all of them were read to their end
    CHECK(peer.requests()[0].header("Accept-Encoding") == "identity");
  }

  TEST_CASE("a body that comes in pieces, chunked or by the connection's end, is one body") {
    HttpPeer peer([](const PeerRequest& request) -> PeerAnswer {
      if (request.target.starts_with("/chunked")) {
        return {{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n..FA\r\n",
                 "5\r\nILURE\r\n0\r\n\r\n"},
                PeerAnswer::After::keep,
                10};
      }
      return {{"HTTP/1.0 200 OK\r\n\r\nONGO", "ING"}, PeerAnswer::After::close, 10};
    });
    HookSite site;
    CHECK(site.told(peer.url("/chunked")) == "failure: ..FAILURE");
    CHECK(site.told(peer.url("/end")) == "ongoing: ONGOING");
  }

  TEST_CASE("a peer that says nothing, or says it too slowly, is given up in time") {
    HttpPeer silent([](const PeerRequest&) { return nothing(); });
    HttpPeer slow([](const PeerRequest&) {
      PeerAnswer answer = say(200, std::string(1'000, 'x'));
      const auto text = answer.parts[0];
      answer.parts.clear();
      for (const char c : text) answer.parts.emplace_back(1, c);
      answer.pause_ms = 5;
      return answer;
    });
    HookSite site;
    for (const auto& url : {silent.url("/"), slow.url("/")}) {
      const auto begin = Clock::now();
      CHECK(site.told(url, 150ms) == "unknown: no answer within 150 ms");
      CHECK(is_between(Clock::now() - begin, 140ms, 3s));
    }
  }

  TEST_CASE("peers that break off, answer nonsense or are not there give no answer") {
    HttpPeer peer([](const PeerRequest& request) -> PeerAnswer {
      if (request.target.starts_with("/close")) return raw("");
      if (request.target.starts_with("/garble")) return raw("\x16\x03\x01 hello?\r\n\r\n");
      if (request.target.starts_with("/old")) return raw("FAILURE");  // HTTP/0.9
      return raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nFAILURE, and that is not all");
    });
    HookSite site;
    for (const auto* path : {"/close", "/garble", "/old", "/short"}) {
      const auto outcome = site.call(peer.url(path));
      CHECK(outcome.kind() == OutcomeKind::unknown);
      CHECK_MESSAGE(outcome.reason().starts_with("no answer: "), outcome.reason());
    }
    CHECK(site.figures(peer.host()).unknown == 4);
    CHECK(site.figures(peer.host()).no_connection == 0);
    for (const auto& host : {nobody(), std::string("http://no-such-host.invalid")}) {
      const auto outcome = site.call(host + "/");
      CHECK(outcome.kind() == OutcomeKind::unknown);
      CHECK_MESSAGE(outcome.reason().starts_with("no connection: "), outcome.reason());
      CHECK(site.figures(host).unknown == 1);
      CHECK(site.figures(host).no_connection == 1);
    }
  }

  TEST_CASE("after a redirect, what was not sent again was sent before") {
    const LastRedirect peer;
    HookSite site;
    const auto told = site.told(peer.url());
    CHECK_MESSAGE(told.starts_with("unknown: no answer: "), told);
  }

  TEST_CASE("a response larger than the limit is not read to its end") {
    HookOptions options;
    options.response_bytes_max = 1'000;
    HttpPeer peer([](const PeerRequest& request) -> PeerAnswer {
      if (request.target.starts_with("/all")) return say(200, std::string(1'000, 'x'));
      if (request.target.starts_with("/more")) return say(200, std::string(1'001, 'x'));
      PeerAnswer answer{{"HTTP/1.1 200 OK\r\n"}, PeerAnswer::After::close};
      if (request.target.starts_with("/endless"))
        answer.parts.emplace_back("\r\n" + std::string(50'000'000, 'x'));
      for (int i = 0; i < 10'000; ++i)
        answer.parts.push_back("X: " + std::string(1'000, 'y') + "\r\n");
      return answer;
    });
    HookSite site(options);
    CHECK(site.told(peer.url("/all")) == "success");
    const std::string too_large = "unknown: the response is larger than 1000 bytes";
    CHECK(site.told(peer.url("/more")) == too_large);
    CHECK(site.told(peer.url("/endless")) == too_large);
    CHECK(site.told(peer.url("/headers")) ==
          "unknown: the response's headers are larger than 262144 bytes");
  }

  TEST_CASE("redirects are followed on the same host only, five times at most") {
    HttpPeer other([](const PeerRequest&) { return say(200); });
    std::string self;
    HttpPeer peer([&](const PeerRequest& request) {
      const auto path = request.target.substr(0, request.target.find('?'));
      const auto query = request.target.substr(path.size());
      if (path == "/303") return say(303, "", "Location: /end" + query);
      if (path == "/page") return say(302, "", "Location: /login");
      if (path == "/see") return say(307, "", "Location: /login" + query + "&x=1");
      if (path == "/307") return say(307, "FAILURE", "Location: /end?x");
      if (path == "/absolute") return say(308, "", "Location: " + self + "/end");
      if (path == "/other") return say(302, "", "Location: " + other.url("/"));
      if (path == "/scheme") return say(302, "", "Location: ftp://127.0.0.1/");
      if (path == "/loop") return say(301, "", "Location: /loop" + query);
      if (path == "/nowhere") return say(302);
      return say(200);
    });
    self = peer.host();
    HookSite site;
    CHECK(site.call(peer.url("/303"), 5s, "").kind() == OutcomeKind::success);
    CHECK(site.call(peer.url("/307"), 5s, "body").kind() == OutcomeKind::success);
    CHECK(site.call(peer.url("/absolute"), 5s, "body").kind() == OutcomeKind::success);
    const auto requests = peer.requests();
    REQUIRE(requests.size() == 6);
    CHECK(requests[1].method == "GET");
    CHECK(requests[1].target == "/end" + requests[0].target.substr(4));
    CHECK(requests[1].body.empty());
    CHECK(requests[3].method == "POST");
    CHECK(requests[3].target == "/end?x");
    CHECK(requests[3].body == "body");
    CHECK(requests[5].body == "body");
    CHECK(site.told(peer.url("/other")) == "unknown: redirect to another host: " + other.url("/"));
    CHECK(site.call(peer.url("/scheme")).kind() == OutcomeKind::unknown);
    CHECK(other.connections() == 0);
    const auto before = peer.requests().size();
    CHECK(site.told(peer.url("/loop")) == "unknown: more than 5 redirects");
    CHECK(peer.requests().size() == before + 6);
    CHECK(site.told(peer.url("/nowhere")) == "unknown: HTTP 302");
    CHECK(site.call(peer.url("/303"), 5s, "body")
              .reason()
              .starts_with("redirect without the payload: " + self + "/end?"));
    CHECK(site.told(peer.url("/page")) ==
          "unknown: redirect without the call's query: " + self + "/login");
    CHECK(site.call(peer.url("/see"), 5s, "").kind() == OutcomeKind::unknown);
  }

  TEST_CASE("all redirects together have one timeout") {
    HttpPeer peer([](const PeerRequest& request) {
      if (request.target.starts_with("/end")) return nothing();
      PeerAnswer answer = say(302, "", "Location: /end" + request.target.substr(1));
      answer.parts.insert(answer.parts.begin(), "");
      answer.pause_ms = 150;
      return answer;
    });
    HookSite site;
    const auto begin = Clock::now();
    CHECK(site.told(peer.url("/"), 300ms) == "unknown: no answer within 300 ms");
    CHECK(is_between(Clock::now() - begin, 290ms, 3s));
    CHECK(peer.requests().size() == 2);
  }

  TEST_CASE("no cookie is kept") {
    HttpPeer peer([](const PeerRequest&) { return say(200, "", "Set-Cookie: a=b; Path=/"); });
    HookSite site;
    site.call(peer.url("/"));
    site.call(peer.url("/"));
    CHECK(peer.requests()[1].header("Cookie") == "(none)");
  }

  TEST_CASE("a connection that its peer closed at rest costs no call") {
    HttpPeer peer([](const PeerRequest&) {
      auto answer = say(200);
      answer.after = PeerAnswer::After::close;  // without a word about it
      return answer;
    });
    HookSite site;
    for (int i = 0; i < 20; ++i) CHECK(site.told(peer.url("/")) == "success");
    CHECK(peer.requests().size() == 20);
  }

  TEST_CASE("a call that cannot be made is answered, later, and says why") {
    HookOptions options;
    options.allowed_targets = {"stock.example"};
    HookSite site(options);
    CHECK(site.told("http://other.example/") ==
          "unknown: 'http://other.example/' is not among HookOptions::allowed_targets");
    CHECK(site.told("http://:0/").starts_with("unknown: the URL 'http://:0/' cannot be called"));
    HookSite free;
    CHECK(free.call("jsonrpc+http://127.0.0.1:1/?method=m", 5s, "[]").reason() ==
          "the payload is no JSON object, as JSON-RPC's params must be");
    CHECK(free.hooks().figures()[0].in_flight == 0);
  }

  TEST_CASE("no name leads to a link-local address") {
    HookOptions options;
    options.refuse_link_local = true;
    HookSite site(options);
    const std::string refused = "which is not called";
    for (const auto* url : {"http://169.254.169.254/latest", "http://2852039166/",
                            "http://[::ffff:169.254.169.254]/", "http://[fe80::1]/"}) {
      const auto checked = site.hooks().check(url);
      REQUIRE_FALSE(checked);
      CHECK(checked.error().code == ErrorCode::forbidden_target);
      CHECK(site.told(url, 2s).ends_with(refused));
    }
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    CHECK(site.told(peer.url("/")) == "success");
  }

  TEST_CASE("a link-local address that only the connection shows is refused there") {
    // Through a proxy of that address: what is called has another, and nothing of it was checked.
    HookOptions options;
    options.refuse_link_local = true;
    options.proxy = "http://169.254.169.254:3128";
    options.allowed_targets = {"stock.example"};
    HookSite site(options);
    CHECK(site.told("http://stock.example/", 2s) ==
          "unknown: the host has a link-local address, which is not called");
  }

  TEST_CASE("no proxy is asked for a link-local address, nor for a name that could have one") {
    HttpPeer proxy([](const PeerRequest&) { return say(200); });
    HookOptions options;
    options.refuse_link_local = true;
    options.proxy = proxy.host();
    options.allowed_targets = {"*", "*.Stock.example", "*.internal"};
    HookSite site(options);
    for (const auto* url : {"http://169.254.169.254./", "http://metadata.google.internal/",
                            "http://0xa9.0xfe.0xa9.0xfe/", "http://[64:ff9b::a9fe:a9fe]/",
                            "http://other.example/", "http://stock.example/"}) {
      const auto checked = site.hooks().check(url);
      REQUIRE_FALSE_MESSAGE(checked, url);
      CHECK(checked.error().code == ErrorCode::forbidden_target);
      CHECK(site.call(url).kind() == OutcomeKind::unknown);
    }
    CHECK(proxy.requests().empty());
    CHECK(site.told("http://a.stock.example/") == "success");
    CHECK(site.told("http://192.0.2.1/") == "success");
    CHECK(proxy.requests().size() == 2);
  }

  TEST_CASE("a proxy is asked for what is called") {
    HttpPeer proxy([](const PeerRequest&) { return say(200); });
    HookOptions options;
    options.proxy = proxy.host();
    HookSite site(options);
    CHECK(site.told("http://stock.example/a") == "success");
    CHECK(proxy.requests()[0].target.starts_with("http://stock.example/a?branch_id=01"));
  }
}

TEST_SUITE("hook/hooks/hosts") {
  TEST_CASE("many calls at once are answered, each by its own") {
    HttpPeer peer([](const PeerRequest& request) {
      return say(409, request.target.substr(0, request.target.find('?')));
    });
    HookSite site;
    std::vector<ports::CallId> ids;
    for (int i = 0; i < 200; ++i) ids.push_back(site.start(peer.url("/" + std::to_string(i))));
    for (std::size_t i = 0; i < ids.size(); ++i)
      CHECK(site.answer(ids[i]).reason() == "/" + std::to_string(i));
  }

  TEST_CASE("a host that says nothing does not delay another") {
    HttpPeer silent([](const PeerRequest&) { return nothing(); });
    HttpPeer quick([](const PeerRequest&) { return say(200); });
    HookSite site;
    for (int i = 0; i < 100; ++i) site.start(silent.url("/"), 5s);
    const auto begin = Clock::now();
    for (int i = 0; i < 20; ++i) CHECK(site.told(quick.url("/")) == "success");
    CHECK(Clock::now() - begin < 2s);
    CHECK(site.figures(silent.host()).in_flight == 100);
  }

  TEST_CASE("a host has place for so many calls; when one ends its lane opens") {
    HookOptions options;
    options.calls_per_host_max = 2;
    HttpPeer peer([](const PeerRequest& request) {
      return request.target.starts_with("/hang") ? nothing() : say(200);
    });
    HookSite site(options);
    auto& hooks = site.hooks();
    const auto lane = hooks.lane_of(peer.url("/"));
    CHECK(hooks.lane_of(peer.url("/else")) == lane);
    CHECK(hooks.has_place(lane));
    site.start(peer.url("/hang"));
    CHECK(hooks.has_place(lane));
    site.start(peer.url("/"));
    CHECK_FALSE(hooks.has_place(lane));
    CHECK(hooks.has_place(hooks.lane_of("http://other.example/")));
    CHECK(site.run_until([&] { return !site.opened().empty(); }));
    CHECK(site.opened() == std::vector{lane});
    CHECK(hooks.has_place(lane));
  }

  TEST_CASE("a host's rate is kept by opening its lane in time") {
    HookOptions options;
    options.rate_per_host_max = 50;
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    HookSite site(options);
    const auto lane = site.hooks().lane_of(peer.url("/"));
    const auto begin = Clock::now();
    for (int made = 0; made < 15; ++made) {
      site.opened().clear();
      if (!site.hooks().has_place(lane))
        REQUIRE(site.run_until([&] { return !site.opened().empty(); }));
      REQUIRE(site.hooks().has_place(lane));
      site.call(peer.url("/"));
    }
    CHECK(is_between(Clock::now() - begin, 190ms, 5s));  // five at once, ten at 20 ms each
  }

  TEST_CASE("a dead host's breaker opens, is tried by one call, and closes with an answer") {
    HookOptions options;
    options.breaker_failures = 3;
    options.breaker_open_first = 100ms;
    std::atomic<bool> alive = false;
    HttpPeer peer([&](const PeerRequest&) { return alive ? say(500) : raw(""); });
    HookSite site(options);
    const auto host = peer.host();
    const auto lane = site.hooks().lane_of(peer.url("/"));
    for (int i = 0; i < 3; ++i) {
      CHECK(site.hooks().has_place(lane));
      site.call(peer.url("/"));
    }
    CHECK(site.figures(host).breaker == BreakerState::open);
    const auto begin = Clock::now();
    CHECK_FALSE(site.hooks().has_place(lane));
    REQUIRE(site.run_until([&] { return site.opened().size() == 1; }));
    CHECK(is_between(Clock::now() - begin, 80ms, 3s));
    REQUIRE(site.hooks().has_place(lane));
    site.call(peer.url("/"));  // the probe, in vain: 200 ms now
    const auto again = Clock::now();
    CHECK_FALSE(site.hooks().has_place(lane));
    REQUIRE(site.run_until([&] { return site.opened().size() == 2; }));
    CHECK(is_between(Clock::now() - again, 180ms, 3s));
    alive = true;
    const auto probe = site.start(peer.url("/"));
    CHECK(site.figures(host).breaker == BreakerState::half_open);
    CHECK_FALSE(site.hooks().has_place(lane));
    site.answer(probe);
    CHECK(site.figures(host).breaker == BreakerState::closed);
    CHECK(site.opened().size() == 3);
    CHECK(site.hooks().has_place(lane));
    CHECK(site.figures(host).breaker_opened == 2);
  }

  TEST_CASE("502, 503 and 504 count as no answer, other statuses as one") {
    HookOptions options;
    options.breaker_failures = 1;
    for (const int status : {502, 503, 504, 500, 404, 409}) {
      HttpPeer peer([&](const PeerRequest&) { return say(status); });
      HookSite site(options);
      site.call(peer.url("/"));
      CHECK((site.figures(peer.host()).breaker == BreakerState::open) ==
            (status / 10 == 50 && status > 500));
    }
  }

  TEST_CASE("the pause that a host asks for comes with its answer") {
    HttpPeer peer([&](const PeerRequest& request) {
      return say(std::stoi(request.target.substr(1, 3)), "", "Retry-After: 7");
    });
    HookSite site;
    CHECK(site.call(peer.url("/429")).retry_after() == 7s);
    CHECK(site.call(peer.url("/503")).retry_after() == 7s);
    CHECK(site.call(peer.url("/500")).retry_after() == 0s);
  }

  TEST_CASE("hooks that are closed with calls in flight leave nothing behind") {
    HttpPeer silent([](const PeerRequest&) { return nothing(); });
    auto site = std::make_unique<HookSite>();
    for (int i = 0; i < 50; ++i) site->start(silent.url("/"));
    site->start("http://no-such-host.invalid/");
    site->run_until([&] { return silent.requests().size() == 50; });
    site.reset();
    HookSite unused;
  }
}

TEST_SUITE("hook/hooks/options") {
  TEST_CASE("what makes no sense is refused, by name") {
    const auto refused = [](auto change) {
      HookOptions options;
      change(options);
      const auto made = hook::Hooks::make(options, 1);
      return made ? std::string("accepted") : made.error().detail;
    };
    using O = HookOptions;
    CHECK(refused([](O& o) { o.response_bytes_max = 0; }).find("response_bytes_max") !=
          std::string::npos);
    CHECK(refused([](O& o) { o.calls_per_host_max = 0; }).find("1 to 4096") != std::string::npos);
    CHECK(refused([](O& o) { o.calls_per_host_max = 4'097; }).find("1 to 4096") !=
          std::string::npos);
    CHECK(refused([](O& o) { o.calls_per_host_max = 4'096; }) == "accepted");
    CHECK(refused([](O& o) { o.rate_per_host_max = -1; }).find("rate_per") != std::string::npos);
    CHECK(refused([](O& o) { o.rate_per_host_max = 1e300 * 1e300; }).find("rate_per") !=
          std::string::npos);
    CHECK(refused([](O& o) { o.breaker_open_first = 0ms; }).find("open_first") !=
          std::string::npos);
    CHECK(refused([](O& o) { o.breaker_open_max = 999ms; }).find("open_max") != std::string::npos);
    CHECK(refused([](O& o) { o.hosts_max = 0; }).find("hosts_max") != std::string::npos);
    CHECK(refused([](O& o) { o.client_cert_file = "x"; }).find("client_key_file") !=
          std::string::npos);
    CHECK(refused([](O& o) { o.ca_file = "/no/such/file"; }).find("ca_file") != std::string::npos);
    for (const auto field : {&O::ca_file, &O::client_cert_file, &O::client_key_file, &O::proxy}) {
      CHECK(refused([&](O& o) {
              o.client_cert_file = o.client_key_file = "/dev/null";
              o.*field = std::string("a\0b", 3);
            }).ends_with(" must be without a NUL"));
    }
    CHECK(refused([](O& o) { o.allowed_targets = {"a/b"}; }).find("a/b") != std::string::npos);
  }
}

}  // namespace belay::test
