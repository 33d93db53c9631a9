// `belay submit`, to a server and into a file.
#include <doctest/doctest.h>

#include <fstream>

#include "belay/engine.h"
#include "served.h"
#include "support/http_peer.h"

namespace belay::test {
namespace {

Finished submit(std::vector<std::string> words, const std::string& input = "") {
  words.insert(words.begin(), "submit");
  auto spawn = belay_spawn(std::move(words));
  spawn.input = input;
  return run(spawn);
}

PeerAnswer yes(const PeerRequest& request) {
  return contains(request.target, "/no?") ? say(409, "FAILURE: sold out") : say(200);
}

}  // namespace

TEST_SUITE("process/submit") {
  TEST_CASE("to a server: handed in, followed to the end, told again") {
    HttpPeer peer(yes);
    Served served;
    REQUIRE(served.listening());
    const TempDir dir;
    std::ofstream(dir.file("saga.json")) << saga_to("g1", peer.url("/a"));
    const auto one = submit({dir.file("saga.json"), "--server", served.url(""), "--wait"});
    CHECK(one.exit_code == 0);
    CHECK(one.out == "g1 succeed\n");
    const auto lines = saga_to("g2", peer.url("/a")) + "\n" + saga_to("g3", peer.url("/no")) + "\n";
    const auto two = submit({"-", "--server", served.url("/"), "--wait", "--json"}, lines);
    CHECK(two.exit_code == 1);
    CHECK(contains(two.out, R"({"gid":"g2","status":"succeed"})"));
    CHECK(contains(two.out, R"({"gid":"g3","status":"failed")"));
    CHECK(contains(two.out, "sold out"));
    const auto again = submit({dir.file("saga.json"), "--server", served.url(""), "--wait"});
    CHECK(again.exit_code == 0);
    CHECK(again.out == "g1 succeed\n");
    const auto taken = submit({"-", "--server", served.url("")}, saga_to("g1", peer.url("/b")));
    CHECK(taken.exit_code == 4);
    CHECK(contains(taken.err, "409"));
  }

  TEST_CASE("an answer that is not the server's is not taken for one") {
    HttpPeer stranger([](const PeerRequest& request) {
      if (contains(request.target, "/submit")) return say(200, R"({"dtm_result":"SUCCESS"})");
      return say(200, R"({"transaction":{"status":7}})");
    });
    const auto saga = saga_to("g1", "");
    for (const auto* body : {"<html>please log in</html>", "", "{}", R"({"dtm_result":1})"}) {
      HttpPeer page([&](const PeerRequest&) { return say(200, body); });
      const auto told = submit({"-", "--server", page.host()}, saga);
      CHECK(told.exit_code == 1);
      CHECK(contains(told.err, "cannot be read"));
    }
    CHECK(submit({"-", "--server", stranger.host(), "--wait"}, saga).exit_code == 1);
  }

  TEST_CASE("what the server says instead is shown, short and harmless") {
    const auto told_by = [](int status, const std::string& body) {
      HttpPeer peer([&](const PeerRequest&) { return say(status, body); });
      return submit({"-", "--server", peer.host()}, saga_to("g1", ""));
    };
    const auto other = told_by(409, R"({"same_definition":"yes","message":"taken"})");
    CHECK(other.exit_code == 4);
    CHECK(contains(other.err, "answered 409: taken"));
    const auto large = told_by(500, R"({"message":")" + std::string(100'000, 'x') + "\"}");
    CHECK(large.exit_code == 1);
    CHECK(contains(large.err, "xxx"));
    CHECK(large.err.size() < 1'000);
    const auto rude = told_by(200, "\x1b[2J\r\n\x1b]0;title\x07");
    CHECK(rude.exit_code == 1);
    CHECK(contains(rude.err, "\\x1b[2J"));
    CHECK_FALSE(contains(rude.err, "\x1b]"));
  }

  TEST_CASE("a state that does not exist is no state") {
    HttpPeer stranger([](const PeerRequest& request) {
      if (contains(request.target, "/submit")) return say(200, R"({"dtm_result":"SUCCESS"})");
      return say(200, R"({"transaction":{"status":"finished"}})");
    });
    const auto end =
        submit({"-", "--server", stranger.host(), "--wait", "--timeout", "1m"}, saga_to("g1", ""));
    CHECK(end.exit_code == 1);
    CHECK(contains(end.err, "cannot be read"));
  }

  TEST_CASE("to a server that wants a token") {
    const TempDir dir;
    std::ofstream(dir.file("token")) << "word\n";
    Served served({"--token-file", dir.file("token")});
    REQUIRE(served.listening());
    const auto saga = saga_to("g1", "");
    CHECK(submit({"-", "--server", served.url("")}, saga).exit_code == 1);
    const auto good =
        submit({"-", "--server", served.url(""), "--token-file", dir.file("token")}, saga);
    CHECK(good.exit_code == 0);
    CHECK(good.out == "g1 submitted\n");
  }

  TEST_CASE("into a file, by an engine of its own or by the one that has it") {
    HttpPeer peer(yes);
    const TempDir dir;
    const auto db = dir.file("own.db");
    const auto saga = saga_to("g1", peer.url("/a"));
    const auto good = submit({"-", "--db", db, "--wait"}, saga);
    CHECK(good.exit_code == 0);
    CHECK(good.out == "g1 succeed\n");
    CHECK(submit({"-", "--db", db}, saga).exit_code == 0);
    CHECK(submit({"-", "--db", db}, saga_to("g1", peer.url("/b"))).exit_code == 4);
    CHECK(peer.requests().size() == 1);
    Served served;
    REQUIRE(served.listening());
    const auto through = submit({"-", "--db", served.db(), "--wait"}, saga);
    CHECK(through.exit_code == 0);
    CHECK(through.out == "g1 succeed\n");
    CHECK(submit({"-", "--db", served.db()}, saga_to("g1", peer.url("/b"))).exit_code == 4);
    CHECK(peer.requests().size() == 2);
  }

  TEST_CASE("a malformed definition is refused in a line that names the field: 2") {
    const TempDir dir;
    REQUIRE(belay::Engine::open(dir.file("s.db")));  // a new one would be told of in a line more
    const auto wrong = [&](const std::string& text, std::string_view part) {
      const auto end = submit({"-", "--db", dir.file("s.db")}, text);
      CHECK(end.exit_code == 2);
      CHECK_MESSAGE(contains(end.err, part), end.err);
      CHECK(end.err.find('\n') == end.err.size() - 1);
    };
    wrong("", "there is no definition");
    wrong("[]", "object");
    wrong(R"({"steps":[]})", "trans_type");
    wrong(R"({"trans_type":"saga","steps":{}})", "steps");
    wrong(R"({"trans_type":"saga","retry_limit":"x"})", "retry_limit");
    wrong(R"({"trans_type":"tcc"})", "trans_type");
    wrong(R"({"trans_type":"saga","steps":[{"actoin":"a"}]})", "did you mean 'action'?");
    CHECK(submit({dir.file("none.json"), "--db", dir.file("s.db")}).exit_code == 3);
    CHECK(submit({"-"}, "{}").exit_code == 2);
    CHECK(submit({"-", "--server", "no-url"}, R"({"trans_type":"saga"})").exit_code == 2);
    CHECK(submit({"-", "--server", "http://127.0.0.1:1"}, R"({"trans_type":"saga"})").exit_code ==
          1);
  }

  TEST_CASE("options that say nothing together are refused before anything is read") {
    const auto wrong = [](const std::vector<std::string>& words, std::string_view part) {
      auto all = words;
      all.insert(all.begin(), "/nowhere.json");
      const auto end = submit(all);
      CHECK(end.exit_code == 2);
      CHECK_MESSAGE(end.err.starts_with("belay: " + std::string(part)), end.err);
    };
    const std::string server = "--server=https://127.0.0.1:1";
    wrong({"--server", "ftp://x"}, "--server: this is no http or https URL");
    wrong({server, "--ca", "/nowhere"}, "--ca: cannot read /nowhere");
    wrong({server, "--cert", "/nowhere"}, "--cert needs --key");
    wrong({server, "--db", "x.db"}, "--server excludes --db");
    wrong({server, "--must-exist"}, "--server excludes --must-exist");
    wrong({"--db", "x.db", "--token-file", "x"}, "--token-file requires --server");
    wrong({server, "--timeout", "5s"}, "--timeout requires --wait");
  }

  TEST_CASE("--wait ends with its time, and the transaction goes on") {
    HttpPeer peer([](const PeerRequest&) { return nothing(); });
    Served served;
    REQUIRE(served.listening());
    const auto end = submit({"-", "--server", served.url(""), "--wait", "--timeout", "200ms"},
                            saga_to("g1", peer.url("/a")));
    CHECK(end.exit_code == 1);
    CHECK(contains(end.err, "g1 is still submitted"));
  }
}

}  // namespace belay::test
