// `belay replay` and `belay stop`: an operator brings to an end what does not go on by itself, on a
// running server and on the file of a dead one.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "belay/engine.h"
#include "belay/reader.h"
#include "belay/saga.h"
#include "served.h"
#include "support/http_peer.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;

using Words = std::vector<std::string>;

Finished belay_with(Words words) { return run(belay_spawn(std::move(words))); }

// A service that is broken until it is repaired. "/hang" never answers.
class Service {
 public:
  std::string url(std::string_view path) const { return peer_.url(path); }
  std::string host() const { return peer_.host(); }
  void repair() { works_ = true; }
  bool got(std::size_t count) const { return peer_.got(count); }

 private:
  std::atomic<bool> works_ = false;
  HttpPeer peer_{[this](const PeerRequest& request) {
    if (contains(request.target, "/hang")) return nothing();
    return works_ ? say(200) : say(500, "out of paper");
  }};
};

// One call makes it stuck, and the next one is an hour later.
constexpr const char* kRare = R"(,"retry_interval":3600)";

Served stuck_server() { return Served({"--stuck-after", "1", "--retry-interval-max", "1h"}); }

// Until the file says that it is stuck; false if it does not within a minute.
bool becomes_stuck(const std::string& db, const std::string& gid) {
  const auto late = std::chrono::steady_clock::now() + 1min;
  while (std::chrono::steady_clock::now() < late) {
    auto reader = Reader::open(db);
    const auto row = reader ? reader->find(gid) : Result<TransactionRow>(reader.error());
    if (row && row->stuck) return true;
    std::this_thread::yield();
  }
  return false;
}

// Submits sagas that call `target`, one after the other, and waits until they are stuck.
bool stage(const Served& served, const std::string& target, const Words& gids) {
  for (const auto& gid : gids) {
    if (status_of(served.submit(saga_to(gid, target, kRare))) != 200) return false;
  }
  return std::all_of(gids.begin(), gids.end(),
                     [&](const auto& gid) { return becomes_stuck(served.db(), gid); });
}

}  // namespace

TEST_SUITE("process/operate") {
  TEST_CASE("replay on a server: called now, not in an hour, and followed to the end") {
    Service service;
    auto served = stuck_server();
    REQUIRE(served.listening());
    REQUIRE(stage(served, service.url("/a"), {"g1", "g2"}));
    const auto still = belay_with(
        {"replay", "g1", "--server", served.url(""), "--timeout", "500ms", "--db", served.db()});
    CHECK(still.exit_code == 1);
    CHECK(
        contains(still.out, "g1 submitted branch 01 (action " + service.url("/a") + "): HTTP 500"));
    service.repair();
    const auto both = belay_with({"replay", "unknown", "g1", "g2", "--server", served.url("")});
    CHECK(both.exit_code == 3);
    CHECK(both.out == "g1 succeed\ng2 succeed\n");
    CHECK(contains(both.err, "the server knows no transaction unknown"));
    const auto again = belay_with({"replay", "g1", "--server", served.url(""), "--json"});
    CHECK(again.exit_code == 4);
    CHECK(contains(again.err, "g1 is succeed already"));
  }

  TEST_CASE("replay --all-stuck chooses in the file and asks the server") {
    Service service;
    Service other;
    auto served = stuck_server();
    REQUIRE(served.listening());
    REQUIRE(stage(served, service.url("/a"), {"g1", "g2"}));
    REQUIRE(stage(served, other.url("/b"), {"g3"}));
    const Words all = {"replay", "--all-stuck", "--db", served.db(), "--host", service.url("/any")};
    auto dry = all;
    dry.emplace_back("--dry-run");
    const auto calls = belay_with(dry);
    CHECK(calls.exit_code == 0);
    CHECK(calls.out ==
          "g2 01 action " + service.url("/a") + "\ng1 01 action " + service.url("/a") + "\n");
    auto one = dry;
    one.insert(one.end(), {"--limit", "1"});
    const auto limited = belay_with(one);
    CHECK(limited.out == "g2 01 action " + service.url("/a") + "\n");
    CHECK(contains(limited.err, "there are more"));
    service.repair();
    auto real = all;
    real.insert(real.end(), {"--server", served.url("")});
    const auto done = belay_with(real);
    CHECK(done.exit_code == 0);
    CHECK(done.out == "g2 succeed\ng1 succeed\n");
    CHECK(belay_with(real).err == "nothing stuck matches\n");
    CHECK(Reader::open(served.db())->find("g3")->stuck);
  }

  TEST_CASE("replay on a file: refused while a server has it, then its URLs are called") {
    Service service;
    auto served = stuck_server();
    REQUIRE(served.listening());
    REQUIRE(stage(served, service.url("/a"), {"g1"}));
    const auto locked = belay_with({"replay", "g1", "--db", served.db()});
    CHECK(locked.exit_code == 5);
    CHECK(contains(locked.err, "with --server URL"));
    served.stop();
    service.repair();
    const auto done = belay_with({"replay", "--all-stuck", "--db", served.db()});
    CHECK(done.exit_code == 0);
    CHECK(done.out == "g1 succeed\n");
    CHECK(belay_with({"replay", "g1", "--db", served.db()}).exit_code == 4);
    CHECK(belay_with({"replay", "unknown", "--db", served.db()}).exit_code == 3);
    CHECK(belay_with({"replay", "g1", "--db", "/nowhere/state.db"}).exit_code == 3);
  }

  TEST_CASE("replay on a file names the handler that only the program has, and leaves it") {
    Service service;
    service.repair();
    const TempDir dir;
    const auto db = dir.file("state.db");
    {
      auto engine = Engine::open(db);
      REQUIRE(engine.has_value());
      REQUIRE(engine->start());
      REQUIRE(engine->submit(Saga("g1").step(service.url("/a"), "").step("bank.credit", "")));
      REQUIRE(becomes_stuck(db, "g1"));
    }
    const auto told = belay_with({"replay", "g1", "--db", db, "--timeout", "1s"});
    CHECK(told.exit_code == 1);
    CHECK(contains(told.out, "g1 submitted branch 02 (action bank.credit): no handler named"));
  }

  TEST_CASE("replay and stop do not wait for ever") {
    Service service;
    Served served;
    REQUIRE(served.listening());
    REQUIRE(status_of(served.submit(saga_to("g1", service.url("/hang")))) == 200);
    REQUIRE(service.got(1));
    const auto told =
        belay_with({"replay", "g1", "--server", served.url(""), "--timeout", "300ms"});
    CHECK(told.exit_code == 1);
    CHECK(told.out == "g1 submitted\n");
    CHECK(belay_with({"replay", "g1", "--server", "http://127.0.0.1:1"}).exit_code == 1);
  }

  TEST_CASE("stop keeps the reason and who gave it") {
    Service service;
    auto served = stuck_server();
    REQUIRE(served.listening());
    REQUIRE(stage(served, service.url("/a"), {"g1", "g2"}));
    const Words server = {"--server", served.url(""), "--reason", "refunded by hand, T-1"};
    auto words = Words{"stop", "g1"};
    words.insert(words.end(), server.begin(), server.end());
    CHECK(belay_with(words).exit_code == 2);  // nobody can be asked
    CHECK(Reader::open(served.db())->find("g1")->status == Status::submitted);
    words.emplace_back("--yes");
    const auto stopped = belay_with(words);
    CHECK(stopped.exit_code == 0);
    CHECK(contains(stopped.out, "g1 failed refunded by hand, T-1 (by "));
    CHECK(belay_with(words).exit_code == 4);
    const auto log = belay_with({"log", "g1", "--db", served.db()});
    CHECK(contains(log.out, "refunded by hand, T-1 (by "));
    CHECK(contains(belay_with({"why", "g1", "--db", served.db()}).out,
                   "What has run stays as it is."));
    CHECK(Reader::open(served.db())->find("g2")->status == Status::submitted);
  }

  TEST_CASE("what was replayed before a server refuses is followed and printed") {
    HttpPeer server([](const PeerRequest& request) {
      if (request.method == "POST" && contains(request.body, "g3")) return say(503, "{}");
      if (request.method == "POST") return say(200, R"({"dtm_result":"SUCCESS"})");
      return say(200, R"({"transaction":{"status":"submitted","rollback_reason":
                      "see http://user:word@host/"}})");
    });
    const auto told = belay_with(
        {"replay", "g1", "g2", "g3", "g4", "--server", server.host(), "--timeout", "1ms"});
    CHECK(told.exit_code == 5);
    CHECK(told.out == "g1 submitted\ng2 submitted\n");
    CHECK(contains(told.err, "2 of 4 were replayed"));
    HttpPeer done([](const PeerRequest&) {
      return say(200, R"({"transaction":{"status":"failed","rollback_reason":
                      "see http://user:word@host/"}})");
    });
    const auto final = belay_with({"replay", "g1", "--server", done.host()});
    CHECK(final.exit_code == 4);
    CHECK(!contains(
        belay_with({"stop", "g", "--server", "htp://user:word@host", "--yes", "--reason", "x"}).err,
        "word"));
  }

  TEST_CASE("what says nothing is refused before anything is asked") {
    const auto wrong = [](const Words& words, std::string_view part) {
      const auto end = belay_with(words);
      CHECK(end.exit_code == 2);
      CHECK_MESSAGE(contains(end.err, part), end.err);
    };
    const std::string server = "--server=http://127.0.0.1:1";
    wrong({"replay", server}, "give gids or --all-stuck");
    wrong({"replay", "g", "--all-stuck", server}, "give gids or --all-stuck");
    wrong({"replay", "g"}, "give --server URL, or --db PATH");
    wrong({"replay", "--all-stuck", server}, "need --db PATH");
    wrong({"replay", "g", "--dry-run", server}, "need --db PATH");
    wrong({"replay", "g", server, "--mode", "saga"}, "the filters need --all-stuck");
    wrong({"replay", "g", "--server", "ftp://x"}, "is no http or https URL");
    wrong({"stop", "--reason", "x", server}, "GID is required");
    wrong({"stop", "g", server}, "--reason is required");
    wrong({"stop", "g", server, "--yes", "--reason", ""}, "--reason is empty");
    wrong({"stop", "g", server, "--yes", "--reason", "\xff"}, "no UTF-8");
    wrong({"replay", "--all-stuck", "--db", "x.db", "--host", ""}, "is no http or https URL");
    wrong({"replay", "--all-stuck", "--db", "x.db", "--host", "127.0.0.1"}, "is no http or");
    wrong({"replay", "--all-stuck", "--db", "x.db", "--handler", ""}, "its value is empty");
    wrong({"replay", "--all-stuck", "--db", "x.db", "--gid-prefix", ""}, "its value is empty");
    wrong({"stop", "g", server, "--yes", "--reason", std::string(1'001, 'x')}, "the limit is 1000");
    wrong({"stop", "g", "--yes", "--reason", "x"}, "--server is required");
  }
}

}  // namespace belay::test
