// The commands that read, on a running server: they show what they show of its file.
#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "embedder.h"
#include "served.h"
#include "support/http_peer.h"

namespace belay::test {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

Finished ask(Words words, const Words& where) {
  words.insert(words.end(), where.begin(), where.end());
  return run(belay_spawn(std::move(words)));
}

// Its lines, without what a server keeps for itself, what it says of its engine otherwise, and how
// long ago something was.
std::vector<Json> lines_of(const Finished& done) {
  const std::regex span(R"(([0-9]+(\.[0-9]+)?(ms|[smhd]))+)");
  std::vector<Json> lines;
  std::istringstream text(done.out);
  for (std::string line; std::getline(text, line);) {
    auto object = Json::parse(std::regex_replace(line, span, "T"));
    object.erase("definition");
    object.erase("engine");
    if (object.contains("waits"))
      for (auto& wait : object.at("waits")) wait.erase("breaker");  // the file learns of it later
    lines.push_back(std::move(object));
  }
  return lines;
}

// One that has ended, two that are stuck, a topic and a hold.
struct Stage {
  Stage() {
    REQUIRE(served.listening());
    CHECK(status_of(served.submit(saga_to("done", peer.url("/good")))) == 200);
    CHECK(status_of(served.submit(saga_to("refused", secret()))) == 200);
    CHECK(status_of(served.submit(saga_to("dead/1 %", "http://127.0.0.1:1/"))) == 200);
    for (const auto* gid : {"refused", "dead/1 %"}) REQUIRE(becomes_stuck(served.db(), gid));
    CHECK(ask({"subscribe", "news", "http://archive.example/", "--remark", "all"}, by_file())
              .exit_code == 0);
    CHECK(ask({"subscribe", "empty", "http://archive.example/"}, by_file()).exit_code == 0);
    CHECK(ask({"unsubscribe", "empty", "http://archive.example/"}, by_file()).exit_code == 0);
    CHECK(ask({"hold", "http://stock.example", "--reason", "moves"}, by_file()).exit_code == 0);
  }
  std::string secret() const { return peer.url("/bad?token=word"); }
  Words by_file() const { return {"--db", served.db()}; }
  Words by_server() const { return {"--server", served.url("")}; }

  std::atomic<bool> is_well = false;
  HttpPeer peer{[this](const PeerRequest& request) {
    return contains(request.target, "/bad") && !is_well ? say(500, "out of order")
                                                        : say(200, R"({"dtm_result":"SUCCESS"})");
  }};
  Served served{
      {"--stuck-after", "1", "--retry-first-interval", "1h", "--retry-interval-max", "1h"}};
};

}  // namespace

TEST_SUITE("process/remote") {
  TEST_CASE("a server shows what its file shows") {
    Stage stage;
    for (const Words& words : std::vector<Words>{{"list"},
                                                 {"list", "--limit", "1"},
                                                 {"list", "--status", "succeed"},
                                                 {"list", "--gid-prefix", "dead/"},
                                                 {"list", "--unfinished", "--older-than", "0s"},
                                                 {"list", "--newer-than", "1h", "--mode", "saga"},
                                                 {"list", "--target", "http://127.0.0.1:1/"},
                                                 {"stuck"},
                                                 {"stuck", "--limit", "1"},
                                                 {"stuck", "--host", "http://127.0.0.1:1"},
                                                 {"stuck", "--target", stage.peer.url("/none")},
                                                 {"stuck", "--target", stage.secret()},
                                                 {"stuck", "--mode", "tcc"},
                                                 {"stuck", "--by", "host"},
                                                 {"stuck", "--by", "error"},
                                                 {"stuck", "--by", "handler"},
                                                 {"show", "dead/1 %"},
                                                 {"show", "refused"},
                                                 {"log", "refused"},
                                                 {"why", "refused"},
                                                 {"why", "done"},
                                                 {"topics"},
                                                 {"holds"}}) {
      CAPTURE(words);
      auto json = words;
      json.push_back("--json");
      const auto by_file = ask(json, stage.by_file());
      const auto by_server = ask(json, stage.by_server());
      CHECK(by_server.exit_code == by_file.exit_code);
      CHECK(lines_of(by_server) == lines_of(by_file));
      CHECK(by_server.err == by_file.err);
      CHECK_FALSE(contains(by_server.out, "token=word"));
      // For a person; ages may differ.
      CHECK(ask(words, stage.by_server()).exit_code == by_file.exit_code);
    }
    CHECK(lines_of(ask({"list", "--json"}, stage.by_server())).size() == 3);
    CHECK(lines_of(ask({"stuck", "--json"}, stage.by_server())).size() == 2);
    CHECK(
        lines_of(ask({"stuck", "--json", "--target", stage.secret()}, stage.by_server())).size() ==
        1);
    CHECK(ask({"list", "--show-secrets"}, stage.by_server()).exit_code == 2);
    CHECK(ask({"list", "--db", stage.served.db()}, stage.by_server()).exit_code == 2);
    CHECK(contains(ask({"why", "refused"}, stage.by_server()).out,
                   "belay serve at " + stage.served.url("")));
    const auto unknown = ask({"show", "nobody"}, stage.by_server());
    CHECK(unknown.exit_code == 3);
    CHECK(contains(unknown.err, "no transaction 'nobody' in http://127.0.0.1:"));
  }

  TEST_CASE("all stuck ones of a server are replayed without its file") {
    Stage stage;
    const Words replay = {"replay", "--all-stuck", "--host", stage.peer.host()};
    auto dry = replay;
    dry.push_back("--dry-run");
    CHECK(ask(dry, stage.by_server()).out ==
          "refused 01 action " + stage.peer.url("/bad?token=***") + "\n");
    stage.is_well = true;
    auto with_reason = replay;
    with_reason.insert(with_reason.end(), {"--reason", "stock is back", "--ticket", "T-7"});
    const auto done = ask(with_reason, stage.by_server());
    CHECK(done.exit_code == 0);
    CHECK(done.out == "refused succeed\n");
    CHECK(contains(ask({"log", "refused"}, stage.by_server()).out, "stock is back [T-7] (by "));
  }

  TEST_CASE("nothing of a server's answer disturbs a terminal or ends the command") {
    const std::string escape = R"(\u001b]0;x\u0007\u202e\u061c)";
    const std::string row =
        R"("id":1,"gid":"g","mode":"saga","status":"submitted","stuck":true,"created_at":1,)"
        R"("updated_at":1,"finished_at":null,"due_at":null,"attempts":1,"last_error":")" +
        escape + R"(","obstacle":")" + escape + R"(","trace_id":null,"result":null)";
    const std::string whole =
        "{" + row + R"(,"branches":[{"branch_id":")" + escape + R"(","op":"action","target":")" +
        escape + R"(","status":")" + escape + R"(","attempts":1,"last_error":")" + escape +
        R"(","due_at":null},{"branch_id":"01","op":"action","target":"t","status":"started",)"
        R"("attempts":1,"last_error":null,"due_at":null}],"timeline":[{"at":1,"event":"answered",)"
        R"("branch_id":"01","op":"action","outcome":")" +
        escape + R"(","detail":")" + escape + R"(","repeats":1},{"at":1,"event":")" + escape +
        R"(","branch_id":null,"op":")" + escape +
        R"(","outcome":null,"detail":null,"repeats":1}],)"
        R"("progress":[]})";
    HttpPeer peer([&](const PeerRequest& request) {
      if (contains(request.target, "/transactions/")) return say(200, whole);
      if (contains(request.target, "/hosts")) return say(200, R"({"hosts":[]})");
      if (contains(request.target, "/holds")) return say(200, R"({"holds":[]})");
      return say(200, R"({"transactions":[{)" + row + R"(}],"next_before":null})");
    });
    const Words where = {"--server", peer.host()};
    for (const Words& words :
         std::vector<Words>{{"list"}, {"show", "g"}, {"log", "g"}, {"why", "g"}}) {
      CAPTURE(words);
      const auto shown = ask(words, where);
      CHECK(shown.exit_code == 0);
      for (const auto* part : {"\x1b", "\x07", "\xe2\x80\xae", "\xd8\x9c"})
        CHECK_FALSE(contains(shown.out + shown.err, part));
    }
    CHECK(contains(ask({"show", "other"}, where).err, "cannot be read"));

    std::string deep(100'000, '[');
    deep += std::string(100'000, ']');
    HttpPeer nested([&](const PeerRequest&) { return say(500, R"({"message":)" + deep + "}"); });
    for (const Words& words : std::vector<Words>{
             {"list"}, {"why", "g"}, {"stop", "g", "--yes", "--reason", "x"}, {"replay", "g"}})
      CHECK(ask(words, {"--server", nested.host()}).exit_code == 1);
    HttpPeer many([&](const PeerRequest&) {
      return say(200, R"({"transactions":[{)" + row + "},{" + row + R"(}],"next_before":null})");
    });
    CHECK(contains(ask({"list", "--limit", "1"}, {"--server", many.host()}).err, "cannot be read"));
  }

  TEST_CASE("how a server is named gives nothing away, and an empty name is none") {
    Stage stage;
    const auto secret = "http://user:sekret@127.0.0.1:" + std::to_string(stage.served.port());
    const auto why = ask({"why", "refused", "--json"}, {"--server", secret});
    CHECK(contains(why.out, "belay serve at http://***@127.0.0.1"));
    for (const auto& url : {secret, std::string("user:sekret@127.0.0.1:1"),
                            std::string("http://user:sek ret@127.0.0.1:1")}) {
      const auto done = ask({"show", "nobody"}, {"--server", url});
      CHECK(done.exit_code != 0);
      CHECK_FALSE(contains(done.out + done.err, "sek"));
    }
    for (const Words& words : std::vector<Words>{
             {"list"}, {"stop", "refused", "--yes", "--reason", "x"}, {"replay", "refused"}}) {
      auto spawn = belay_spawn(words, {{"BELAY_DB", stage.served.db()}});
      spawn.argv.insert(spawn.argv.end(), {"--server", ""});
      const auto done = run(spawn);
      CHECK(done.exit_code == 2);
      CHECK(contains(done.err, "its value is empty"));
    }
    const TempDir dir;
    std::ofstream(dir.file("tokens")) << "a:read:one\nb:read:two\n";
    const auto several = ask({"list", "--token-file", dir.file("tokens")}, stage.by_server());
    CHECK(several.exit_code == 2);
    CHECK(contains(several.err, "more than one token"));
  }

  TEST_CASE("what is no answer of a server is said, and shows nothing") {
    const TempDir dir;
    std::ofstream(dir.file("token")) << "ops:read:secret\n";
    Served served({"--token-file", dir.file("token")});
    REQUIRE(served.listening());
    const Words where = {"--server", served.url("")};
    const auto stranger = ask({"list"}, where);
    CHECK(stranger.exit_code == 1);
    CHECK(contains(stranger.err, "give the server's token with --token-file"));
    CHECK(ask({"list", "--token-file", dir.file("token")}, where).exit_code == 0);
    const auto nobody = ask({"stuck"}, {"--server", "http://127.0.0.1:1"});
    CHECK(nobody.exit_code == 1);
    CHECK(contains(nobody.err, "see that `belay serve` runs there"));
    CHECK(ask({"stuck"}, {"--server", "ftp://127.0.0.1"}).exit_code == 2);
    // A server whose pages never end.
    HttpPeer endless(
        [](const PeerRequest&) { return say(200, R"({"transactions":[],"next_before":7})"); });
    CHECK(contains(ask({"list", "--limit", "0"}, {"--server", endless.host()}).err,
                   "cannot be read"));
    CHECK(contains(ask({"stuck"}, {"--server", endless.host()}).err, "cannot be read"));
    for (const auto* body :
         {"hello", "[]", R"({"transactions":[{}],"next_before":null})", R"({"transactions":[]})",
          R"({"transactions":7,"next_before":null})", R"({"gid":"g"})", ""}) {
      CAPTURE(body);
      HttpPeer peer([body](const PeerRequest&) { return say(200, body); });
      for (const Words& words :
           std::vector<Words>{{"list"}, {"stuck"}, {"show", "g"}, {"why", "g"}, {"holds"}}) {
        const auto done = ask(words, {"--server", peer.host()});
        CHECK(done.exit_code == 1);
        CHECK(done.out == "");
        CHECK(contains(done.err, "the server's answer cannot be read: "));
      }
    }
  }
}

}  // namespace belay::test
