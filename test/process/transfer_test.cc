// Goal: `belay export`, `import` and `gc` move and remove what they say, whole, whatever ends them
// in between.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "state_file.h"

namespace belay::test {
namespace {

namespace fs = std::filesystem;

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<Json> rows_without_ids(const std::string& db) {
  auto rows = json_lines(belay_run({"list", "--json", "--show-secrets"}, db).out);
  for (auto& row : rows) row.erase("id");
  return rows;
}

Outcome say_yes(const Call&, void*) { return Outcome::success(); }

// Many finished transactions with large payloads.
struct ManyFixture {
  static constexpr int kMany = 240;

  ManyFixture() {
    auto engine = Engine::open(path);
    REQUIRE(engine.has_value());
    REQUIRE(engine->handle("yes", say_yes).has_value());
    REQUIRE(engine->start().has_value());
    const std::string payload(24'000, 'p');
    for (int i = 0; i < kMany; ++i) {
      Saga saga("many-" + std::to_string(i));
      saga.step("yes", "", payload);
      REQUIRE(engine->submit(saga).has_value());
    }
    for (int i = 0; i < kMany; ++i)
      REQUIRE(engine->wait("many-" + std::to_string(i), std::chrono::seconds(60)).has_value());
    REQUIRE(engine->close().has_value());
  }

  TempDir dir;
  const std::string path = dir.file("many.db");
};

}  // namespace

TEST_SUITE("process/transfer") {
  TEST_CASE("what runs in one file is exported, imported and there as it was") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    const auto file = state.dir().file("all.jsonl");
    const auto to = state.dir().file("new.db");
    const auto live = belay_run({"export", "--all", "--output", file}, state.path());
    CHECK(live.exit_code == 0);
    CHECK(live.out == "");
    CHECK(contains(live.err, "no engine may open " + state.path() + " any more"));
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(!fs::exists(file + ".part"));
    const auto again = belay_run({"export", "--all", "--output", file}, state.path());
    CHECK(again.exit_code == 1);
    CHECK(contains(again.err, "there is a file"));
    std::ofstream(file + "2.part") << "of a killed one";
    const auto left = belay_run({"export", "--all", "--output", file + "2"}, state.path());
    CHECK(left.exit_code == 1);
    CHECK(contains(left.err, "one was interrupted; then remove it"));

    const auto held = belay_run({"import", file, "--db", state.path()});
    CHECK(held.exit_code == 5);
    CHECK(contains(held.err, "held by"));

    // What is under way has come further since: the files are compared when nobody goes on.
    state.close();
    fs::remove(file);
    REQUIRE(belay_run({"export", "--all", "--output", file}, state.path()).exit_code == 0);
    const auto imported = belay_run({"import", file, "--db", to});
    CHECK(imported.exit_code == 0);
    CHECK(contains(imported.err, "new state file"));
    CHECK(rows_without_ids(to) == rows_without_ids(state.path()));
    CHECK(belay_run({"topics", "--json"}, to).out ==
          belay_run({"topics", "--json"}, state.path()).out);
    CHECK(belay_run({"check"}, to).exit_code == 0);
    const auto taken = belay_run({"import", file}, to);
    CHECK(taken.exit_code == 4);
    CHECK(contains(taken.err, "has a transaction ok-1 already"));
    const auto skipped = belay_run({"import", file, "--skip-existing", "--json"}, to);
    CHECK(skipped.exit_code == 0);
    CHECK(json_lines(skipped.out).front().at("transactions") == 0);
    CHECK(json_lines(skipped.out).front().at("skipped") ==
          json_lines(belay_run({"list", "--json"}, to).out).size());
  }

  TEST_CASE("the definition of each is submitted again, and is the same") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    const auto to = state.dir().file("again.db");
    // The topics, without which a message to one is refused.
    const auto topics = state.dir().file("topics.jsonl");
    REQUIRE(belay_run({"export", "--all", "--gid-prefix", "none", "--output", topics}, state.path())
                .exit_code == 0);
    REQUIRE(belay_run({"import", topics}, to).exit_code == 0);
    const std::set<std::string> modes = {"saga", "tcc", "xa", "msg"};
    std::set<std::string> seen;
    for (const auto& row :
         json_lines(belay_run({"list", "--json", "--show-secrets"}, state.path()).out)) {
      const auto gid = row.at("gid").get<std::string>();
      const auto text = belay_run({"export", gid}, state.path());
      REQUIRE(text.exit_code == 0);
      auto definition = Json::parse(text.out);
      CHECK(definition.at("gid") == gid);
      definition["gid"] = "again-" + gid;
      auto submit = belay_spawn({"submit", "-", "--db", to});
      submit.input = definition.dump();
      const auto submitted = run(submit);
      CHECK(submitted.err == "");
      REQUIRE(submitted.exit_code == 0);
      seen.insert(row.at("mode"));
      auto other = Json::parse(belay_run({"export", "again-" + gid}, to).out);
      other["gid"] = definition["gid"];
      CHECK(other == definition);
    }
    CHECK(seen == modes);
    const auto none = belay_run({"export", "nobody"}, to);
    CHECK(none.exit_code == 3);
    CHECK(belay_run({"export"}, to).exit_code == 2);
    CHECK(belay_run({"export", "ok-1", "--all"}, to).exit_code == 2);
    CHECK(belay_run({"export", "ok-1", "--status", "failed"}, to).exit_code == 2);
  }

  TEST_CASE("belay's own form goes to a file; without a gid it gets one") {
    const TempDir dir;
    const auto db = dir.file("state.db");
    auto submit = belay_spawn({"submit", "-", "--json"}, db);
    submit.input = R"({"mode":"saga","steps":[{"action":"","compensate":""}]})";
    const auto made = run(submit);
    CHECK(made.exit_code == 0);
    CHECK(json_lines(made.out).front().at("gid").get<std::string>().size() == 26);
    submit.input = R"({"mode":"saga","gid":"g","steps":[{"action":"","confirm":""}]})";
    const auto wrong = run(submit);
    CHECK(wrong.exit_code == 2);
    CHECK(contains(wrong.err, "step 1 of a saga has no 'confirm'"));
    submit.input = R"({"mode":"saga","gid":"","steps":[{"action":"","compensate":""}]})";
    CHECK(run(submit).exit_code == 0);
  }

  TEST_CASE_FIXTURE(ManyFixture, "a killed import leaves the file as it was, and is run again") {
    const auto file = dir.file("all.jsonl");
    const auto to = dir.file("new.db");
    REQUIRE(belay_run({"export", "--all", "--output", file}, path).exit_code == 0);
    int killed_within = 0;
    for (const char* at : {" 45%", " 60%", " 90%"}) {
      auto spawn = belay_spawn({"import", file}, to);
      spawn.terminal = true;
      Process import(spawn);
      REQUIRE(import.wait_for_output(at));
      import.kill(SIGKILL);
      if (import.wait().signal == SIGKILL) ++killed_within;
      if (!fs::exists(to)) continue;
      const auto stats = json_lines(belay_run({"stats", "--json"}, to).out);
      REQUIRE(stats.size() == 1);
      CHECK(stats.front().at("succeed") == 0);
      CHECK(belay_run({"check"}, to).exit_code == 0);
    }
    CHECK(killed_within == 3);
    const auto imported = belay_run({"import", file}, to);
    CHECK(imported.exit_code == 0);
    CHECK(contains(imported.out, "240 transactions imported, 0 unfinished"));
    CHECK(belay_run({"check"}, to).exit_code == 0);

    // A reader that goes away ends the export without a word.
    Process export_all(belay_spawn({"export", "--all"}, to));
    export_all.close_output();
    const auto ended = export_all.wait();
    CHECK(ended.exit_code == 0);
    CHECK(ended.err == "");

    // A file that was cut, or has another byte.
    const auto good = content_of(file);
    auto bad = good;
    bad[good.size() / 2] ^= 1;
    for (const auto& one :
         {bad, good.substr(0, good.size() / 2), good.substr(0, good.size() - 1)}) {
      std::ofstream(dir.file("bad.jsonl"), std::ios::binary) << one;
      const auto refused = belay_run({"import", dir.file("bad.jsonl")}, dir.file("third.db"));
      CHECK(refused.exit_code == 1);
      CHECK(contains(refused.err, "nothing was imported"));
      CHECK(!fs::exists(dir.file("third.db")));
    }

    const auto size = fs::file_size(to);
    const auto dry = belay_run({"gc", "--older-than", "0s", "--dry-run", "--json"}, to);
    CHECK(json_lines(dry.out).front().at("succeeded") == kMany);
    CHECK(belay_run({"gc", "--older-than", "1h", "--yes"}, to).exit_code == 0);
    CHECK(json_lines(belay_run({"stats", "--json"}, to).out).front().at("succeed") == kMany);
    CHECK(belay_run({"gc", "--older-than", "0s"}, to).exit_code == 2);  // nobody can be asked
    const auto removed = belay_run({"gc", "--older-than", "0s", "--yes"}, to);
    CHECK(removed.exit_code == 0);
    CHECK(contains(removed.out, "240 succeeded and 0 failed transactions removed"));
    CHECK(fs::file_size(to) < size / 2);
    CHECK(belay_run({"check"}, to).exit_code == 0);
  }

  TEST_CASE("gc is refused while an engine has the file open, and says what to do instead") {
    StateFile state;
    REQUIRE(state.ready());
    const auto held = belay_run({"gc", "--older-than", "0s", "--yes"}, state.path());
    CHECK(held.exit_code == 5);
    CHECK(contains(held.err, "set its option retention"));
    const auto copy = state.crashed_copy();
    state.close();
    CHECK(belay_run({"gc", "--yes"}, copy).exit_code == 2);
    CHECK(belay_run({"gc", "--older-than", "0s", "--yes"}, state.dir().file("none")).exit_code ==
          3);
    const auto failed_only =
        belay_run({"gc", "--failed-older-than", "0s", "--yes", "--json"}, copy);
    CHECK(json_lines(failed_only.out).front().at("failed") == 1);
    const auto left = json_lines(belay_run({"list", "--json"}, copy).out);
    CHECK(left.size() == StateFile::kCount - 1);
    REQUIRE(belay_run({"gc", "--older-than", "0s", "--yes"}, copy).exit_code == 0);
    for (const auto& row : json_lines(belay_run({"list", "--json"}, copy).out))
      CHECK(row.at("finished_at").is_null());
    CHECK(belay_run({"check"}, copy).exit_code == 0);
  }
}

}  // namespace belay::test
