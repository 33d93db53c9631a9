// Branches that are URLs, through the engine: what they are sent, what is refused before anything
// is kept, and what becomes of the transaction.
#include <belay/belay.h>
#include <belay/driven.h>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "support/full_backlog.h"
#include "support/http_peer.h"
#include "support/process.h"
#include "support/sanitized.h"
#include "unit/hook/shop.h"

namespace belay::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

// The path and query of what a peer was asked, in the order in which it was.
std::vector<std::string> targets(const HttpPeer& peer) {
  std::vector<std::string> out;
  for (const auto& request : peer.requests()) out.push_back(request.target);
  return out;
}

using Targets = std::vector<std::string>;

bool begins(const std::string& text, std::string_view with) {
  CAPTURE(text);
  return text.starts_with(with);
}

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
    CHECK(targets(peer).back() == "/back?branch_id=01&gid=g2&op=compensate&trans_type=saga");
  }

  TEST_CASE("tcc, xa and messages say what they are") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    Shop shop;
    const auto url = [&](std::string_view path) { return peer.url(path); };
    CHECK(shop->run(Tcc("t").branch(url("/try"), url("/confirm"), url("/cancel"))));
    CHECK(shop->run(Xa("x").branch(url("/xa"), url("/xa"), url("/xa"))));
    CHECK(shop->subscribe({"news", url("/news"), ""}));
    CHECK(shop->run(Msg("m").to("topic://news", "hello")));
    CHECK(targets(peer) == Targets{"/try?branch_id=01&gid=t&op=try&trans_type=tcc",
                                   "/confirm?branch_id=01&gid=t&op=confirm&trans_type=tcc",
                                   "/xa?branch_id=01&gid=x&op=prepare&trans_type=xa",
                                   "/xa?branch_id=01&gid=x&op=commit&trans_type=xa",
                                   "/news?branch_id=02&gid=m&op=action&trans_type=msg"});
    CHECK(peer.requests()[2].method == "POST");  // without a payload
    CHECK(peer.requests()[4].body == "hello");
  }

  TEST_CASE("a message's back-check is asked as dtm asks it") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    Shop shop;
    auto msg = Msg("m").to(peer.url("/to")).query(peer.url("/check"));
    msg.timeout_to_fail(50ms);
    REQUIRE(shop->prepare(msg));
    REQUIRE(shop->wait("m", 10s));
    CHECK(targets(peer) == Targets{"/check?branch_id=00&gid=m&op=msg&trans_type=msg",
                                   "/to?branch_id=01&gid=m&op=action&trans_type=msg"});
  }

  TEST_CASE("a back-check's answer that cannot be read delivers nothing") {
    // "{"dtm_result":"FAILURE"}" packed by brotli, as UTF-16, and escaped; and by gzip, cut.
    const std::string wide("F\0A\0I\0L\0U\0R\0E\0", 14);
    const std::vector<PeerAnswer> unread = {
        say(200, "\x8b\x0b\x80{}", "Content-Encoding: br"),
        say(200, wide),
        say(200, "{}", "Content-Type: application/json; charset=utf-16"),
        say(200, "\x1f\x8b\x08", "Content-Encoding: gzip"),
    };
    std::atomic<std::size_t> asked = 0;
    HttpPeer peer([&](const PeerRequest& request) {
      if (request.target.starts_with("/to")) return say(200);
      const auto at = asked++;
      return at < unread.size() ? unread[at] : say(200, R"({"dtm_result":"FAIL\u0055RE"})");
    });
    Shop shop;
    auto msg = Msg("m").to(peer.url("/to")).query(peer.url("/check"));
    msg.timeout_to_fail(50ms);
    REQUIRE(shop->prepare(msg));
    const auto report = shop->wait("m", 10s);
    REQUIRE(report);
    CHECK(report->status() == Status::failed);
    CHECK(asked == unread.size() + 1);
    for (const auto& target : targets(peer)) CHECK(target.starts_with("/check"));
  }

  TEST_CASE("a workflow is called back by its name, with its input, until it is finished") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    Shop shop;
    REQUIRE(shop->prepare(Workflow("w").callback(peer.url("/resume"), "trip to X", "input")));
    REQUIRE(peer.got(2));
    REQUIRE(shop->finish_workflow("w", {}));
    const auto request = peer.requests()[0];
    CHECK(request.target == "/resume?branch_id=00&gid=w&op=trip%20to%20X&trans_type=workflow");
    CHECK(request.body == "input");
  }

  TEST_CASE("branches that are registered later are called too") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    Shop shop;
    auto driven = Driven::begin(*shop, Tcc("d"));
    REQUIRE(driven);
    const auto tried =
        driven->branch({peer.url("/try"), peer.url("/confirm"), peer.url("/cancel")});
    REQUIRE(tried);
    CHECK(tried->kind() == OutcomeKind::success);
    REQUIRE(driven->run(10s));
    CHECK(targets(peer).size() == 2);
  }

  TEST_CASE("no answer and not yet are asked again, each attempt with its number and fence") {
    std::atomic<int> asked = 0;
    HttpPeer peer([&](const PeerRequest&) {
      switch (asked++) {
        // On a connection of its own: closed at rest, it would be asked twice by one attempt.
        case 0: return raw("HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        case 1: return raw("");
        case 2: return say(425);
        default: return say(200);
      }
    });
    Shop shop;
    const auto report = shop->run(Saga("g").step(peer.url("/"), ""));
    REQUIRE(report);
    CHECK(report->status() == Status::succeed);
    const auto requests = peer.requests();
    REQUIRE(requests.size() == 4);
    unsigned long long last = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      CHECK(requests[i].header("Belay-Attempt") == std::to_string(i + 1));
      const auto fence = std::stoull(requests[i].header("Belay-Fence"));
      CHECK(fence > last);
      last = fence;
    }
  }

  TEST_CASE("a trace goes on through every call, each a span of its own") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    Shop shop;
    Saga saga("g");
    saga.step(peer.url("/a"), "").step(peer.url("/b"), "");
    saga.trace_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    saga.header("X-User", "7");
    REQUIRE(shop->run(saga));
    std::set<std::string> parents = {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"};
    for (const auto& request : peer.requests()) {
      CHECK(begins(request.header("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-"));
      parents.insert(request.header("traceparent"));
      CHECK(request.header("X-User") == "7");
    }
    CHECK(parents.size() == 3);
  }

  TEST_CASE("JSON-RPC's answers are a saga's") {
    HttpPeer peer([](const PeerRequest& request) {
      const bool refused = request.body.find("\"amount\":9") != std::string::npos;
      // It begins with the id, which an answer repeats.
      const auto id = request.body.substr(0, request.body.find(','));
      return say(200, id + (refused ? R"(,"error":{"code":-32901,"message":"too much"}})"
                                    : R"(,"jsonrpc":"2.0","result":{}})"));
    });
    Shop shop;
    const auto target = "jsonrpc+" + peer.url("/rpc?method=book");
    const auto run = [&](const char* gid, const char* payload) {
      const auto report = shop->run(Saga(gid).step(target, "", payload));
      return report ? report->status() : Status::prepared;
    };
    CHECK(run("a", "{\"amount\":1}") == Status::succeed);
    CHECK(run("b", "{\"amount\":9}") == Status::failed);
    CHECK(targets(peer) == Targets{"/rpc?method=book", "/rpc?method=book"});
  }
}

TEST_SUITE("hook/engine/refused") {
  TEST_CASE("a URL that may not be called is refused in every way in, by its branch and field") {
    HookOptions hooks;
    hooks.allowed_targets = {"good.example"};
    Shop shop(hooks);
    const std::string good = "http://good.example/";
    const std::string bad = "http://bad.example/";
    const std::string why = ": 'http://bad.example/' is not among HookOptions::allowed_targets";
    const auto submit = [&](const Description& it) { return told(shop->submit(it)); };
    const auto prepare = [&](const Description& it) { return told(shop->prepare(it)); };
    CHECK(submit(Saga("g").step(good, "").step(bad, "")) ==
          "forbidden_target: the action of branch 02" + why);
    CHECK(submit(Saga("g").step(good, bad)) ==
          "forbidden_target: the compensate of branch 01" + why);
    CHECK(prepare(Tcc("g").branch(good, good, bad)) ==
          "forbidden_target: the cancel of branch 01" + why);
    CHECK(submit(Xa("g").branch(bad, good, good)) ==
          "forbidden_target: the prepare of branch 01" + why);
    CHECK(submit(Msg("g").to("topic://any").to(bad)) ==
          "forbidden_target: the action of branch 02" + why);
    CHECK(prepare(Msg("g").to(good).query(bad)) ==
          "forbidden_target: the callback of branch 00" + why);
    CHECK(prepare(Workflow("g").callback(bad, "trip")) ==
          "forbidden_target: the callback of branch 00" + why);
    CHECK(told(shop->subscribe({"topic", bad, ""})) ==
          "forbidden_target: the subscription's target" + why);
    REQUIRE(shop->prepare(Tcc("driven")));
    CHECK(told(shop->register_branch("driven", {good, bad, good})) ==
          "forbidden_target: the commit of branch (new)" + why);
    CHECK(told(shop->find("g")).starts_with("not_found"));
    CHECK(shop->topics()->empty());
  }

  TEST_CASE("what looks like a URL and is none that can be called is refused") {
    Shop shop;
    const auto submit = [&](std::string_view target) {
      return told(shop->submit(Saga("g").step(target, "")));
    };
    CHECK(begins(submit("ftp://a/"), "invalid_argument: the action of branch 01: "));
    CHECK(begins(submit("grpc://a/"), "invalid_argument"));
    CHECK(begins(submit("http://:x/"), "invalid_argument: the action of branch 01: the URL"));
    CHECK(begins(submit("jsonrpc+http://a/"), "invalid_argument"));
    CHECK(told(shop->submit(Saga("g").step("host:8080/no.scheme", ""))) == "accepted");
  }

  TEST_CASE("a payload that JSON-RPC cannot take is refused, for every branch that would send it") {
    Shop shop;
    const std::string rpc = "jsonrpc+http://a/?method=m";
    const std::string why = ": the payload is no JSON object, as JSON-RPC's params must be";
    for (const auto* payload : {"[1]", "null", "{\"a\":1", "{}{}", "x"}) {
      CHECK(told(shop->submit(Saga("g").step(rpc, "", payload))) ==
            "invalid_argument: the action of branch 01" + why);
      CHECK(told(shop->submit(Saga("g").step("name", rpc, payload))) ==
            "invalid_argument: the compensate of branch 01" + why);
      CHECK(told(shop->submit(Tcc("g").branch("name", rpc, "name", payload))) ==
            "invalid_argument: the confirm of branch 01" + why);
      CHECK(told(shop->submit(Msg("g").to(rpc, payload))) ==
            "invalid_argument: the action of branch 01" + why);
    }
    CHECK(told(shop->submit(Saga("empty").step(rpc, ""))) == "accepted");
    CHECK(told(shop->submit(Saga("name").step("jsonrpc", "", "[1]"))) == "accepted");
  }

  TEST_CASE("headers that would break a request are refused if there is a URL") {
    Shop shop;
    Saga named("named");
    named.step("name", "").header("X", "a\r\nb");
    CHECK(shop->submit(named));
    Saga url("url");
    url.step("http://a/", "").header("X", "a\r\nb");
    CHECK(told(shop->submit(url)) ==
          "invalid_argument: the transaction: the value of the header 'X' has a control character");
    StepOptions options;
    options.headers = {{"X Y", "z"}};
    CHECK(told(shop->submit(Saga("step").step("http://a/", "", "", options))) ==
          "invalid_argument: branch 01: 'X Y' is no name that an HTTP header can have");
  }

  TEST_CASE("a function cannot have a name that looks like a URL") {
    const TempDir dir;
    auto engine = Engine::open(dir.file("state.db"));
    REQUIRE(engine);
    const auto yes = [](const Call&, void*) { return Outcome::success(); };
    CHECK(begins(told(engine->handle("http://a/", yes)), "invalid_argument"));
    CHECK(begins(told(engine->handle("topic://a", yes)), "invalid_argument"));
    CHECK(engine->handle("host:80/name", yes));
  }

  TEST_CASE("options that make no sense stop the engine before it touches its file") {
    const TempDir dir;
    Options options;
    options.hooks.hosts_max = 0;
    const auto engine = Engine::open(dir.file("state.db"), options);
    CHECK(begins(told(engine), "invalid_argument: HookOptions::hosts_max"));
    CHECK_FALSE(std::filesystem::exists(dir.file("state.db")));
  }
}

TEST_SUITE("hook/engine/hosts") {
  TEST_CASE("a host that says nothing holds up nobody but its own") {
    HookOptions hooks;
    hooks.calls_per_host_max = 4;
    HttpPeer silent([](const PeerRequest&) { return nothing(); });
    HttpPeer quick([](const PeerRequest&) { return say(200); });
    Shop shop(hooks, 2s);
    for (int i = 0; i < 100; ++i) REQUIRE(shop->submit(Saga().step(silent.url("/"), "")));
    REQUIRE(silent.got(4));
    const auto begin = Clock::now();
    for (int i = 0; i < 20; ++i) {
      const auto report = shop->run(Saga().step(quick.url("/"), ""));
      REQUIRE(report);
      CHECK(report->status() == Status::succeed);
    }
    CHECK(Clock::now() - begin < 2s);
    const auto hosts = shop->hosts();
    REQUIRE(hosts);
    REQUIRE(hosts->size() == 2);
    for (const auto& host : *hosts) {
      if (host.host == quick.host()) CHECK(host.success == 20);
      if (host.host == silent.host()) CHECK(host.in_flight <= 4);
    }
    CHECK(silent.connections() >= 4);
  }

  TEST_CASE("while a breaker is open its calls wait and cost no attempts") {
    HookOptions hooks;
    hooks.breaker_failures = 2;
    hooks.breaker_open_first = hooks.breaker_open_max = 300ms;
    std::atomic<bool> alive = false;
    HttpPeer peer([&](const PeerRequest&) { return alive ? say(200) : raw(""); });
    Shop shop(hooks);
    const auto begin = Clock::now();
    REQUIRE(shop->submit(Saga("g").step(peer.url("/"), "")));
    REQUIRE(peer.got(4));  // two, then a probe after 300 ms, then another one
    CHECK(Clock::now() - begin >= 580ms);
    alive = true;
    REQUIRE(shop->wait("g", 10s));
    CHECK(peer.requests().size() <= 6);
    CHECK(peer.requests().back().header("Belay-Attempt") == std::to_string(peer.requests().size()));
  }

  TEST_CASE("who asks for the hosts is answered, also when the engine closes") {
    auto shop = std::make_unique<Shop>();
    CHECK((*shop)->hosts()->empty());
    std::atomic<int> answers = 0;
    int accepted = 0;
    for (int i = 0; i < 100; ++i) {
      if ((*shop)->hosts([&](const auto&) { ++answers; })) ++accepted;
    }
    shop.reset();
    CHECK(answers == accepted);
  }
}

TEST_SUITE("hook/engine/end") {
  TEST_CASE("an engine that is destroyed with calls in flight ends, and the next one goes on") {
    std::atomic<bool> answers = false;
    HttpPeer peer([&](const PeerRequest&) { return answers ? say(200) : nothing(); });
    const TempDir dir;
    Options options;
    options.request_timeout = 300ms;
    options.retry.first_interval = 20ms;
    {
      auto engine = Engine::open(dir.file("state.db"), options);
      REQUIRE(engine);
      REQUIRE(engine->start());
      for (int i = 0; i < 20; ++i)
        REQUIRE(engine->submit(Saga(std::to_string(i)).step(peer.url("/"), "")));
      REQUIRE(peer.got(20));
    }
    answers = true;
    auto engine = Engine::open(dir.file("state.db"), options);
    REQUIRE(engine);
    REQUIRE(engine->start());
    for (int i = 0; i < 20; ++i) {
      const auto report = engine->wait(std::to_string(i), 10s);
      REQUIRE(report);
      CHECK(report->status() == Status::succeed);
    }
  }

  TEST_CASE("on a host's loop nothing is left when it is closed") {
    HttpPeer peer([](const PeerRequest& request) {
      return request.target.starts_with("/silent") ? nothing() : say(200);
    });
    uv_loop_t loop;
    REQUIRE(uv_loop_init(&loop) == 0);
    const TempDir dir;
    Options options;
    options.loop = &loop;
    options.request_timeout = 200ms;
    auto engine = Engine::open(dir.file("state.db"), options);
    REQUIRE(engine);
    REQUIRE(engine->start());
    Status status{};
    bool closed = false;
    const auto close = [&](const Result<Report>& report) {
      if (report) status = report->status();
      CHECK(engine->close([&](const Result<>& result) { closed = result.has_value(); }));
    };
    REQUIRE(engine->submit(Saga().step(peer.url("/silent"), ""), [](const Result<Report>&) {}));
    REQUIRE(engine->submit(Saga().step(peer.url("/"), "").wait_result(), close));
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(status == Status::succeed);
    CHECK(closed);
    CHECK(uv_loop_close(&loop) == 0);
  }

  TEST_CASE("a connect that is not complete in time is told as no connection") {
    const FullBacklog silent;
    Shop shop;
    Retry retry;
    retry.limit = 1;
    const auto report =
        shop->run(Saga("g").step(silent.url(), "").request_timeout(200ms).retry(retry));
    REQUIRE(report);
    CHECK(report->reason().ends_with("no connection within 200 ms"));
    const auto hosts = shop->hosts();
    REQUIRE(hosts);
    CHECK(hosts->at(0).no_connection == 1);
  }

  TEST_CASE("who waits for a host that is dead is stuck, and told why") {
    const auto url = HttpPeer([](const PeerRequest&) { return nothing(); }).url("/");
    const TempDir dir;
    Options options;
    options.retry.first_interval = 20ms;
    options.request_timeout = 20ms;
    options.checkpoint_interval = 5ms;
    std::atomic<int> told = 0;
    options.on_stuck_user = &told;
    options.on_stuck = [](const StuckNotice& notice, void* user) {
      if (notice.error.starts_with("the circuit breaker of "))
        ++*static_cast<std::atomic<int>*>(user);
    };
    options.hooks.breaker_failures = 1;
    options.hooks.breaker_open_first = options.hooks.breaker_open_max = 3'600s;
    auto engine = Engine::open(dir.file("state.db"), options);
    REQUIRE(engine.has_value());
    REQUIRE(engine->start());
    for (const auto* gid : {"g1", "g2"}) REQUIRE(engine->submit(Saga(gid).step(url, "")));
    const auto until = Clock::now() + 60s;
    while (told < 2 && Clock::now() < until) std::this_thread::yield();  // told when on disk
    auto reader = Reader::open(dir.file("state.db"));
    REQUIRE(reader);
    Filter filter;
    filter.stuck = true;
    const auto page = reader->list(filter);
    REQUIRE(page);
    REQUIRE(page->rows.size() == 2);
    for (const auto& row : page->rows) {
      const auto host = url.substr(0, url.size() - 1);
      CHECK(begins(row.obstacle, "branch 01 (action " + url + "): the circuit breaker of " + host +
                                     " is open, since its calls have no answer"));
    }
    for (const auto* gid : {"g1", "g2"}) REQUIRE(engine->force_stop(gid, "done"));
  }

  TEST_CASE("a proxy that the environment names is told once, without its password") {
    const TempDir dir;
    std::vector<std::string> lines;
    Options options;
    options.log = [](const LogLine& line, void* user) {
      if (line.text.find("proxy.example") != std::string_view::npos)
        static_cast<std::vector<std::string>*>(user)->emplace_back(line.text);
    };
    options.log_user = &lines;
    ::setenv("http_proxy", "http://me:secret@proxy.example:3128", 1);
    auto engine = Engine::open(dir.file("state.db"), options);
    ::unsetenv("http_proxy");
    REQUIRE(engine.has_value());
    REQUIRE(engine->start());
    CHECK(lines == Targets{"URLs are called as the environment says: http:// through "
                           "http://***@proxy.example:3128, https:// through no proxy"});
  }

  TEST_CASE("without descriptors calls are made later; that is counted, and told once" *
            doctest::skip(kSanitized)) {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    const TempDir dir;
    std::atomic<int> lines = 0;
    Options options;
    options.log = [](const LogLine& line, void* user) {
      if (line.text.find("no descriptor or memory") != std::string_view::npos)
        ++*static_cast<std::atomic<int>*>(user);
    };
    options.log_user = &lines;
    options.retry.first_interval = 20ms;
    options.retry.interval_max = 20ms;
    options.hooks.breaker_failures = 1;  // which a shortage of ours does not count as
    options.hooks.breaker_open_first = options.hooks.breaker_open_max = 3'600s;
    auto engine = Engine::open(dir.file("state.db"), options);
    REQUIRE(engine.has_value());
    REQUIRE(engine->start());
    std::promise<Result<Report>> told;
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int next = ::dup(0);  // the first that is free: none is below that limit
    ::close(next);
    auto none = before;
    none.rlim_cur = static_cast<rlim_t>(next);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    const auto submitted = engine->submit(Saga("g").step(peer.url("/"), "").wait_result(),
                                          [&told](const auto& result) { told.set_value(result); });
    const auto until = Clock::now() + 60s;
    while (engine->counters().shortages < 3 && Clock::now() < until) std::this_thread::yield();
    setrlimit(RLIMIT_NOFILE, &before);
    REQUIRE(submitted.has_value());
    CHECK(told.get_future().get()->succeeded());
    CHECK(engine->counters().shortages >= 3);
    CHECK(lines == 1);
    CHECK(peer.requests().size() == 1);
  }

  TEST_CASE("a name that no descriptor is left for is a shortage, and no fault of its host's" *
            doctest::skip(kSanitized)) {
    const TempDir dir;
    Options options;
    options.retry.first_interval = 20ms;
    options.retry.interval_max = 20ms;
    options.hooks.breaker_failures = 1;
    auto engine = Engine::open(dir.file("state.db"), options);
    REQUIRE(engine.has_value());
    REQUIRE(engine->start());
    rlimit before{};
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    const int next = ::dup(0);
    ::close(next);
    auto none = before;
    none.rlim_cur = static_cast<rlim_t>(next);
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
    const auto submitted =
        engine->submit(Saga("g").step("http://stock.invalid/", ""), [](const Result<Report>&) {});
    const auto until = Clock::now() + 60s;
    while (engine->counters().shortages < 3 && Clock::now() < until) std::this_thread::yield();
    setrlimit(RLIMIT_NOFILE, &before);
    REQUIRE(submitted.has_value());
    CHECK(engine->counters().shortages >= 3);
    REQUIRE(engine->force_stop("g", "done"));
  }
}

}  // namespace belay::test
