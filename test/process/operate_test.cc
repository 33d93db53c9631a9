// `belay replay`, `stop`, `back`, `resolve`, `edit` and `hold`: an operator brings to an end what
// does not go on by itself, on a running server, in a program that embeds belay, and on the file of
// a dead one.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <fstream>

#include "embedder.h"
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
    const auto still =
        belay_with({"replay", "g1", "--server", served.url(""), "--timeout", "500ms"});
    CHECK(still.exit_code == 1);
    CHECK(
        contains(still.out, "g1 submitted branch 01 (action " + service.url("/a") + "): HTTP 500"));
    service.repair();
    const auto log = belay_with({"log", "g1", "--db", served.db()}).out;
    CHECK(contains(log, "replayed"));
    CHECK(contains(log, "(by "));
    const auto both = belay_with({"replay", "unknown", "g1", "g2", "--server", served.url("")});
    CHECK(both.exit_code == 3);
    CHECK(both.out == "g1 succeed\ng2 succeed\n");
    CHECK(contains(both.err, "the server knows no transaction unknown"));
    const auto again = belay_with({"replay", "g1", "--server", served.url(""), "--json"});
    CHECK(again.exit_code == 4);
    CHECK(contains(again.err, "g1: the saga is succeed"));
  }

  TEST_CASE("replay --all-stuck finds them where it asks, in a file or on a server") {
    Service service;
    Service other;
    auto served = stuck_server();
    REQUIRE(served.listening());
    REQUIRE(stage(served, service.url("/a"), {"g1", "g2"}));
    REQUIRE(stage(served, other.url("/b"), {"g3"}));
    const Words all = {"replay", "--all-stuck", "--host", service.url("/any")};
    auto dry = all;
    dry.insert(dry.end(), {"--dry-run", "--db", served.db()});
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

  TEST_CASE("replay on a file: by the server that has it open, or by an engine of its own") {
    Service service;
    auto served = stuck_server();
    REQUIRE(served.listening());
    REQUIRE(stage(served, service.url("/a"), {"g1", "g2"}));
    const auto still =
        belay_with({"replay", "g1", "unknown", "--db", served.db(), "--timeout", "500ms"});
    CHECK(still.exit_code == 3);
    CHECK(contains(still.out, "g1 submitted branch 01 (action "));
    CHECK(contains(still.err, "no transaction with the gid 'unknown' is known: see `belay list`"));
    service.repair();
    CHECK(belay_with({"replay", "g1", "--db", served.db()}).out == "g1 succeed\n");
    CHECK(belay_with({"replay", "g1", "--db", served.db()}).exit_code == 4);
    served.stop();
    const auto done = belay_with({"replay", "--all-stuck", "--db", served.db()});
    CHECK(done.exit_code == 0);
    CHECK(done.out == "g2 succeed\n");
    CHECK(belay_with({"replay", "g1", "--db", served.db()}).exit_code == 4);
    CHECK(belay_with({"replay", "unknown", "--db", served.db()}).exit_code == 3);
    CHECK(belay_with({"replay", "g1", "--db", "/nowhere/state.db"}).exit_code == 3);
  }

  TEST_CASE("a program that embeds belay does what the command asks through its file") {
    Embedder program;
    auto engine = program.open();
    stage_jammed(engine, program.db, "");
    const Words sure = {"--db", program.db, "--yes", "--reason", "wrong price", "--ticket", "T-9"};
    const auto order = [&](Words words) {
      words.insert(words.end(), sure.begin(), sure.end());
      return belay_with(words);
    };
    const auto stopped = order({"stop", "g1", "nobody"});
    CHECK(stopped.exit_code == 3);
    CHECK(contains(stopped.out, "g1 failed wrong price [T-9] (by "));
    CHECK(program.refunds == 0);
    const auto back = order({"back", "g2"});
    CHECK(back.exit_code == 0);
    CHECK(contains(back.out, "g2 "));
    const auto undone = engine.wait("g2", 10s);
    REQUIRE_MESSAGE(undone.has_value(), (back.out + undone.error().detail));
    CHECK(undone->status() == Status::failed);
    CHECK(contains(engine.find("g2")->reason(), "wrong price [T-9] (by "));
    CHECK(program.refunds == 1);
    CHECK(order({"back", "g2"}).exit_code == 0);  // it has turned back already
    program.prints = true;
    CHECK(belay_with({"replay", "--all-stuck", "--db", program.db}).out == "g3 succeed\n");
    CHECK(order({"back", "g3"}).exit_code == 4);
    auto submit = belay_spawn({"submit", "-", "--db", program.db, "--wait"});
    submit.input =
        R"({"gid":"g4","trans_type":"saga","steps":[{"action":"pay"}],"payloads":["1"]})";
    const auto submitted = run(submit);
    CHECK(submitted.out == "g4 succeed\n");
  }

  TEST_CASE("edit changes what a branch is called with: in a program and on a dead file") {
    Embedder program;
    const Words db = {"--db", program.db, "--yes", "--reason", "printer moved"};
    const auto edit = [&](Words words) {
      words.insert(words.begin(), "edit");
      words.insert(words.end(), db.begin(), db.end());
      return belay_with(words);
    };
    {
      auto engine = program.open();
      stage_jammed(engine, program.db, "");
      const auto edited = edit({"g1", "02", "action", "--target", "pay"});
      CHECK(edited.exit_code == 0);
      CHECK(engine.wait("g1", 10s)->succeeded());
      CHECK(edit({"g1", "02", "action", "--target", "pay"}).exit_code == 4);
      CHECK(edit({"g2", "01", "action", "--target", "print"}).exit_code == 4);  // it has succeeded
      CHECK(edit({"g2", "07", "action", "--target", "print"}).exit_code == 4);
      const auto nowhere = edit({"g2", "02", "action", "--target", "ftp://printer"});
      CHECK(nowhere.exit_code == 1);
      CHECK(contains(nowhere.err, "the edited branch: "));
    }
    const auto paid = program.payments.load();
    const auto payload = program.dir.file("payload");
    std::ofstream(payload) << "{\"copies\":2}";
    CHECK(edit({"g3", "02", "action", "--target", "pay", "--payload", payload, "--header",
                "X-Copies: 2"})
              .exit_code == 0);
    CHECK(program.payments == paid);  // nothing was called
    const auto log = belay_with({"log", "g3", "--db", program.db}).out;
    CHECK(
        contains(log, "action print -> pay, payload 0 -> 12 bytes, headers 0 -> 1: printer moved"));
    CHECK(contains(log, "(by "));
    const auto shown = belay_with({"show", "g3", "--db", program.db, "--json"}).out;
    CHECK(contains(shown, R"("before_edits":{"2":["print",""]})"));
    auto engine = program.open();
    CHECK(engine.wait("g3", 10s)->succeeded());
    CHECK(program.payments == paid + 1);
  }

  TEST_CASE("a held target is not called until it is released, whoever has the file") {
    Embedder program;
    const Words db = {"--db", program.db};
    const auto give = [&](const std::string& verb, const std::string& target) {
      return belay_with({verb, target, "--db", program.db, "--reason", "wrong fees"});
    };
    REQUIRE(program.open().close());
    CHECK(give("hold", "pay").out == "pay is held\n");  // on a dead file
    {
      auto engine = program.open();
      REQUIRE(engine.submit(Saga("g1").step("pay", "")));
      REQUIRE(becomes_stuck(program.db, "g1"));
      CHECK(program.payments == 0);
      CHECK(
          contains(belay_with({"show", "g1", "--db", program.db}).out, "pay is held: wrong fees"));
      CHECK(contains(belay_with({"holds", "--db", program.db}).out, "wrong fees"));
      CHECK(give("hold", "pay").exit_code == 4);
      CHECK(give("release", "print").exit_code == 3);
      CHECK(give("release", "pay").out == "pay is released\n");
      CHECK(engine.wait("g1", 10s)->succeeded());
    }
    CHECK(program.payments == 1);
    CHECK(belay_with({"holds", "--db", program.db}).out.empty());
  }

  TEST_CASE("resolve says how a branch ended: in a program, on a server and on a dead file") {
    const auto resolve = [](Words words, const Words& where) {
      words.insert(words.begin(), "resolve");
      words.insert(words.end(), where.begin(), where.end());
      words.insert(words.end(), {"--yes", "--reason", "asked the bank"});
      return belay_with(words);
    };
    Embedder program;
    const Words db = {"--db", program.db};
    {
      auto engine = program.open();
      stage_jammed(engine, program.db, "print");
      CHECK(resolve({"g1", "02", "action", "--as", "success"}, db).exit_code == 0);
      CHECK(engine.wait("g1", 10s)->succeeded());
      CHECK(resolve({"g2", "02", "action", "--as", "failure"}, db).exit_code == 0);
      REQUIRE(becomes_stuck(program.db, "g2"));  // now the compensation of the print
      const auto cannot = resolve({"g2", "02", "compensate", "--as", "failure"}, db);
      CHECK(cannot.exit_code == 4);
      CHECK(contains(cannot.err, "the compensate of branch 02 can only succeed"));
      CHECK(resolve({"g2", "01", "compensate", "--as", "success"}, db).exit_code == 4);
      CHECK(resolve({"g2", "09", "compensate", "--as", "success"}, db).exit_code == 4);
      CHECK(resolve({"g9", "02", "action", "--as", "success"}, db).exit_code == 3);
      const auto late = resolve({"g2", "02", "action", "--as", "success"}, db);
      CHECK(late.exit_code == 4);
      CHECK(contains(late.err, "branch 02 waits for its compensate, not for its action"));
      CHECK(resolve({"g2", "02", "compensate", "--as", "success"}, db).exit_code == 0);
      CHECK(engine.wait("g2", 10s)->status() == Status::failed);
    }
    CHECK(resolve({"g3", "02", "action", "--as", "success"}, db).out == "g3 succeed\n");
    CHECK(program.refunds == 1);
    const auto log = belay_with({"log", "g3", "--db", program.db});
    CHECK(contains(log.out, "resolved"));
    CHECK(contains(log.out, "asked the bank (by "));

    Service service;
    auto served = stuck_server();
    REQUIRE(served.listening());
    REQUIRE(stage(served, service.url("/a"), {"s1"}));
    const Words server = {"--server", served.url("")};
    CHECK(resolve({"s1", "07", "action", "--as", "success"}, server).exit_code == 4);
    CHECK(resolve({"s1", "01", "action", "--as", "success"}, server).out == "s1 succeed\n");
  }

  TEST_CASE("stop and back on a dead file change it and call nothing") {
    Embedder program;
    {
      auto engine = program.open();
      stage_jammed(engine, program.db, "");
    }
    const auto paid = program.payments.load();
    const Words sure = {"--db", program.db, "--yes", "--reason", "closed down"};
    const auto order = [&](Words words) {
      words.insert(words.end(), sure.begin(), sure.end());
      return belay_with(words);
    };
    CHECK(contains(order({"stop", "g1"}).out, "g1 failed closed down (by "));
    CHECK(contains(order({"back", "--all-stuck", "--limit", "1"}).out, "g3 aborting"));
    CHECK(Reader::open(program.db)->find("g2")->status == Status::submitted);
    program.prints = true;
    auto engine = program.open();
    CHECK(engine.wait("g3", 10s)->status() == Status::failed);
    CHECK(engine.retry_now("g2"));
    CHECK(engine.wait("g2", 10s)->succeeded());
    CHECK(program.refunds == 1);
    CHECK(program.payments == paid);
  }

  TEST_CASE("back on a server") {
    Service service;
    auto served = stuck_server();
    REQUIRE(served.listening());
    REQUIRE(stage(served, service.url("/a"), {"g1"}));
    service.repair();
    const Words words = {"back",         "g1",    "nobody",   "--server",
                         served.url(""), "--yes", "--reason", "recall"};
    const auto back = belay_with(words);
    CHECK(back.exit_code == 3);
    CHECK(contains(back.out, "g1 "));
    CHECK(contains(belay_with({"replay", "g1", "--server", served.url("")}).err,
                   "g1: the saga is failed"));
    CHECK(contains(belay_with({"log", "g1", "--db", served.db()}).out, "recall (by "));
  }

  TEST_CASE("an engine that stands still does not get what was taken back") {
    Embedder program;
    auto engine = program.open();
    REQUIRE(engine.submit(Saga("g1").step("pay", "refund").step("print", "")));
    REQUIRE(becomes_stuck(program.db, "g1"));
    program.holds = true;
    REQUIRE(engine.submit(Saga("g2").step("hold", ""), [](const Result<Report>&) {}));
    const auto told =
        belay_with({"stop", "g1", "--db", program.db, "--yes", "--reason", "it hangs"});
    CHECK(told.exit_code == 5);
    CHECK(contains(told.err, "was taken back"));
    program.holds = false;
    program.holds.notify_all();
    CHECK(engine.wait("g2", 10s)->succeeded());
    CHECK(engine.find("g1")->status() == Status::submitted);
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
      if (request.method == "POST" && contains(request.target, "/g3/")) return say(503, "{}");
      if (request.method == "POST") return say(200, R"({"taken":true})");
      return say(200, R"({"transaction":{"status":"submitted","rollback_reason":
                      "see http://user:word@host/"}})");
    });
    const auto told = belay_with(
        {"replay", "g1", "g2", "g3", "g4", "--server", server.host(), "--timeout", "1ms"});
    CHECK(told.exit_code == 5);
    CHECK(told.out == "g1 submitted\ng2 submitted\n");
    CHECK(contains(told.err, "2 of 4 were replayed"));
    HttpPeer done([](const PeerRequest&) {
      return say(409, R"({"error":"forbidden","message":"the transaction is failed"})");
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
    wrong({"replay", "--all-stuck"}, "give --server URL, or --db PATH");
    wrong({"replay", "g", server, "--mode", "saga"}, "the filters need --all-stuck");
    wrong({"replay", "g", "--server", "ftp://x"}, "is no http or https URL");
    const std::string shown = "http://***@stock.example/";
    wrong({"replay", "--all-stuck", server, "--target", shown}, "'***' stands for");
    wrong({"replay", "--all-stuck", server, "--host", shown}, "'***' stands for");
    wrong({"hold", shown, "--reason", "x", server}, "TARGET: '***' stands for");
    wrong({"unsubscribe", "news", shown, server}, "TARGET: '***' stands for");
    wrong({"edit", "g", "01", "action", server, "--target", shown, "--yes", "--reason", "x"},
          "--target: '***' stands for");
    wrong({"edit", "g", "01", "action", server, "--header", "Authorization: ***", "--yes",
           "--reason", "x"},
          "--header: '***' stands for");
    wrong({"stop", "--reason", "x", server}, "give gids or --all-stuck");
    wrong({"stop", "g", server}, "give --reason TEXT");
    wrong({"stop", "g", server, "--yes", "--reason", ""}, "give --reason TEXT");
    wrong({"hold", "pay", server}, "give --reason TEXT");
    wrong({"hold", "pay", "--reason", "x"}, "give --server URL, or --db PATH");
    wrong({"edit", "g", "01", "action", server, "--yes", "--reason", "x"}, "give at least one of");
    wrong({"edit", "g", "01", "act", server, "--target", "x", "--yes", "--reason", "x"},
          "OP is 'act'");
    wrong({"edit", "g", "01", "action", server, "--header", "x", "--yes", "--reason", "x"},
          "--header is 'x'");
    wrong({"stop", "g", server, "--yes", "--reason", "\xff"}, "no UTF-8");
    wrong({"replay", "--all-stuck", "--db", "x.db", "--host", ""}, "is no http or https URL");
    wrong({"replay", "--all-stuck", "--db", "x.db", "--host", "127.0.0.1"}, "is no http or");
    wrong({"replay", "--all-stuck", "--db", "x.db", "--handler", ""}, "its value is empty");
    wrong({"replay", "--all-stuck", "--db", "x.db", "--gid-prefix", ""}, "its value is empty");
    wrong({"stop", "g", server, "--yes", "--reason", std::string(801, 'x')}, "the limit is 800");
    wrong({"stop", "g", "--yes", "--reason", "x"}, "give --server URL, or --db PATH");
    wrong({"resolve", "g", server, "--as", "success", "--reason", "x"}, "BRANCH is required");
    wrong({"resolve", "g", "01", "action", server, "--as", "maybe", "--yes", "--reason", "x"},
          "--as is 'maybe', it must be success or failure");
    wrong({"back", "g", server, "--yes", "--reason", "x", "--ticket", std::string(101, 'x')},
          "--ticket has 101 bytes");
  }
}

}  // namespace belay::test
