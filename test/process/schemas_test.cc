// Goal: what a command prints with --json has the members that its installed schema says, and no
// others.
#include <doctest/doctest.h>

#include <cstdlib>

#include "state_file.h"

namespace belay::test {
namespace {

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class Printed {
 public:
  explicit Printed(std::string db) : db_(std::move(db)) {}

  void add(const std::string& schema, std::vector<std::string> words) {
    words.emplace_back("--json");
    const auto result = belay_run(words, db_);
    CAPTURE(result.err);
    CHECK(result.out != "");
    for (const auto& line : json_lines(result.out)) {
      REQUIRE(line.is_object());
      lines_ += schema + "\t" + line.dump() + "\n";
    }
  }
  const std::string& lines() const { return lines_; }

 private:
  const std::string db_;
  std::string lines_;
};

}  // namespace

TEST_SUITE("process/schemas") {
  TEST_CASE("every object is what its schema says") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    Printed live(state.path());
    live.add("fate", {"edit", "stuck-1", "02", "action", "--header", "X-Fee: 2", "--reason",
                      "a test", "--yes"});
    live.add("list", {"list"});
    for (const auto& row : json_lines(belay_run({"list", "--json"}, state.path()).out)) {
      const auto gid = row.at("gid").get<std::string>();
      live.add("show", {"show", gid});
      live.add("log", {"log", gid});
      live.add("why", {"why", gid});
    }
    live.add("stuck", {"stuck"});
    for (const char* by : {"handler", "host", "error"}) live.add("stuck-by", {"stuck", "--by", by});
    live.add("stats", {"stats"});
    live.add("watch", {"watch", "--count", "2", "--interval", "100ms"});
    live.add("topics", {"topics"});
    CHECK(belay_run({"hold", "bank", "--reason", "a test"}, state.path()).exit_code == 0);
    live.add("holds", {"holds"});
    CHECK(belay_run({"release", "bank"}, state.path()).exit_code == 0);
    live.add("check", {"check"});
    live.add("version", {"version"});
    live.add("calls", {"replay", "--all-stuck", "--dry-run"});
    live.add("fate", {"stop", "stuck-1", "--reason", "a test", "--yes"});
    live.add("fate", {"back", "parked-1", "--reason", "a test", "--yes"});
    live.add("backup", {"backup", state.dir().file("backup.db")});
    const auto file = state.dir().file("all.jsonl");
    REQUIRE(belay_run({"export", "--all", "--output", file}, state.path()).exit_code == 0);
    live.add("import", {"import", file, "--db", state.dir().file("new.db")});
    live.add("gc", {"gc", "--older-than", "0s", "--dry-run", "--db", state.dir().file("new.db")});
    state.close();

    const auto hosts = state.dir().file("hosts.db");
    auto submit = belay_spawn({"submit", "-", "--wait", "--timeout", "1s", "--db", hosts});
    submit.input = R"({"mode":"saga","steps":[{"action":"http://127.0.0.1:9/","compensate":""}]})";
    CHECK(run(submit).exit_code == 1);
    CHECK(contains(belay_run({"stats", "--json"}, hosts).out, "\"host\":\"http://127.0.0.1:9\""));
    live.add("stats", {"stats", "--db", hosts});

    // Of orphans there are none without a database.
    const auto checked = run({.argv = {from_environment("BELAY_PYTHON"), "-B", "-Wignore",
                                       from_environment("BELAY_SCHEMA_CHECK"),
                                       from_environment("BELAY_SCHEMAS"), "orphans"},
                              .input = live.lines()});
    CHECK(checked.out == "\n");
    CHECK(checked.err == "");
    CHECK(checked.exit_code == 0);
  }
}

}  // namespace belay::test
