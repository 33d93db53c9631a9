// `belay hold`, `release`, `subscribe`, `unsubscribe`, `remove-topic` and `log-level`: what is
// about no transaction, on a running server and on a file.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "embedder.h"
#include "served.h"
#include "support/http_peer.h"

namespace belay::test {
namespace {

using Words = std::vector<std::string>;

// Runs commands, each with the same options behind it.
class Asking {
 public:
  explicit Asking(Words where) : where_(std::move(where)) {}

  Finished operator()(Words words) const {
    words.insert(words.end(), where_.begin(), where_.end());
    return run(belay_spawn(std::move(words)));
  }

 private:
  const Words where_;
};

void check_topics(const Asking& ask, const std::string& db) {
  const auto topics = [&] { return run(belay_spawn({"topics", "--db", db})).out; };
  const std::string archive = "http://archive.example/news";
  const auto taken = ask({"subscribe", "news", archive, "--remark", "keeps all"});
  CHECK(taken.out == archive + " gets news\n");
  CHECK(contains(topics(), "keeps all"));
  CHECK(ask({"unsubscribe", "news", archive}).out == archive + " gets no more of news\n");
  CHECK(contains(topics(), "nobody is subscribed"));
  const auto gone = ask({"unsubscribe", "news", archive});
  CHECK(gone.exit_code == 3);
  CHECK(contains(gone.err, "see `belay topics`"));
  CHECK(ask({"remove-topic", "news"}).out == "news is removed\n");
  CHECK(topics() == "");
  CHECK(ask({"remove-topic", "news"}).exit_code == 3);
}

void check_holds(const Asking& ask, const std::string& db) {
  const auto holds = [&] { return run(belay_spawn({"holds", "--db", db})).out; };
  const std::string host = "http://stock.example";
  CHECK(ask({"hold", host, "--reason", "moves", "--ticket", "T-1"}).out == host + " is held\n");
  CHECK(contains(holds(), "moves [T-1]"));
  const auto twice = ask({"hold", host, "--reason", "moves"});
  CHECK(twice.exit_code == 4);
  CHECK(contains(twice.err, "see `belay holds`"));
  CHECK(ask({"release", host}).out == host + " is released\n");
  CHECK(holds() == "");
  const auto again = ask({"release", host});
  CHECK(again.exit_code == 3);
  CHECK(contains(again.err, "see `belay holds`"));
}

}  // namespace

TEST_SUITE("process/ask") {
  TEST_CASE("a server is asked for topics, holds and its level") {
    Served served;
    REQUIRE(served.listening());
    const Asking by_server({"--server", served.url("")});
    check_topics(by_server, served.db());
    check_holds(by_server, served.db());
    CHECK(by_server({"log-level", "debug"}).out == "the level is debug\n");
    CHECK(by_server({"log-level", "loud"}).exit_code == 2);
    const Asking by_file({"--db", served.db()});
    check_topics(by_file, served.db());
    check_holds(by_file, served.db());
    CHECK(by_file({"log-level", "error"}).out == "the level is error\n");
  }

  TEST_CASE("on a file that nobody has open: it is changed, and a level is refused") {
    const TempDir dir;
    const auto db = dir.file("state.db");
    REQUIRE(Engine::open(db));
    const Asking ask({"--db", db});
    check_topics(ask, db);
    check_holds(ask, db);
    const auto level = ask({"log-level", "debug"});
    CHECK(level.exit_code == 1);
    CHECK(level.out == "");
    CHECK(contains(level.err, "no engine has " + db + " open"));
  }

  TEST_CASE("several commands at once on a file that nobody has open: each does its own") {
    const TempDir dir;
    const auto db = dir.file("state.db");
    REQUIRE(Engine::open(db));
    std::vector<std::unique_ptr<Process>> all;
    for (int i = 0; i < 4; ++i)
      all.push_back(std::make_unique<Process>(
          belay_spawn({"hold", "target-" + std::to_string(i), "--reason", "x", "--db", db})));
    for (auto& one : all) {
      const auto done = one->wait();
      CHECK_MESSAGE(done.exit_code == 0, done.err);
    }
    CHECK(Reader::open(db)->holds()->size() == 4);
  }

  TEST_CASE("while others write to the file nothing is posted, and the command is told to wait") {
    Served served;
    REQUIRE(served.listening());
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(served.db().c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
    const auto done = Asking({"--db", served.db()})({"hold", "pay", "--reason", "x"});
    sqlite3_close(other);
    CHECK(done.exit_code == 5);
    CHECK(contains(done.err, "others write to the file"));
    CHECK(Reader::open(served.db())->holds()->empty());
  }

  TEST_CASE("edit by a server: the branch is called with the new values") {
    HttpPeer peer([](const PeerRequest& request) {
      return contains(request.body, "right") ? say(200) : say(500, "wrong price");
    });
    Served served({"--stuck-after", "1", "--retry-interval-max", "1h"});
    REQUIRE(served.listening());
    REQUIRE(status_of(served.submit(
                saga_to("g1", peer.url("/old"), R"(,"retry_interval":3600)"))) == 200);
    REQUIRE(becomes_stuck(served.db(), "g1"));
    const TempDir dir;
    std::ofstream(dir.file("payload")) << R"({"price":"right"})";
    Words words = {"edit", "g1", "01", "action", "--target", peer.url("/new")};
    words.insert(words.end(), {"--payload", dir.file("missing"), "--header", "X-Fee: 2"});
    words.insert(words.end(), {"--reason", "wrong price", "--yes"});
    const Asking ask({"--server", served.url("")});
    const auto unread = ask(words);
    CHECK(unread.exit_code == 2);
    CHECK(contains(unread.err, "--payload: "));
    words[7] = dir.file("payload");
    CHECK(ask(words).exit_code == 0);
    REQUIRE(peer.got(2));
    const auto request = peer.requests().back();
    CHECK(contains(request.target, "/new"));
    CHECK(contains(request.body, "right"));
    CHECK(contains(run(belay_spawn({"replay", "g1", "--server", served.url("")})).err,
                   "the saga is succeed"));
  }

  TEST_CASE("belay's own form goes to a server as well") {
    HttpPeer peer([](const PeerRequest&) { return say(200); });
    Served served;
    REQUIRE(served.listening());
    auto submit = belay_spawn({"submit", "-", "--server", served.url(""), "--wait"});
    submit.input = R"({"mode":"saga","gid":"g1","steps":[{"action":")" + peer.url("/a") +
                   R"(","compensate":""}]})" + "\n" +
                   R"({"mode":"saga","steps":[{"action":"","compensate":""}]})";
    const auto done = run(submit);
    CHECK(done.exit_code == 0);
    CHECK(done.out.starts_with("g1 succeed\n"));
    CHECK(std::count(done.out.begin(), done.out.end(), '\n') == 2);
    submit.input = R"({"mode":"saga","gid":"g1","steps":[{"action":"","compensate":""}]})";
    CHECK(run(submit).exit_code == 4);
    submit.input = R"({"mode":"saga","steps":[{"action":"bank.debit","compensate":""}]})";
    const auto named = run(submit);
    CHECK(named.exit_code == 1);
    CHECK(contains(named.err, "step 1: action: 'bank.debit' is no URL"));
  }
}

}  // namespace belay::test
