// Goal: a person and a script both see in a state file what is really there, whether an engine has
// it open, was killed, or closed it.
#include <doctest/doctest.h>

#include <csignal>
#include <set>

#include "state_file.h"

namespace {

using namespace belay::test;
using Gids = std::vector<std::string>;

Gids listed(const std::vector<std::string>& arguments, const std::string& db) {
  std::vector<std::string> words = {"list", "--json"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const auto result = belay_run(words, db);
  CHECK(result.exit_code == 0);
  CHECK(result.err == "");
  Gids gids;
  for (const auto& row : json_lines(result.out)) {
    REQUIRE(row.is_object());
    gids.push_back(row.at("gid"));
  }
  return gids;
}

// The line of `text` that contains `part`, or an empty one.
std::string line_with(const std::string& text, std::string_view part) {
  const auto at = text.find(part);
  if (at == std::string::npos) return {};
  const auto begin = text.rfind('\n', at) + 1;  // npos + 1 is 0
  return text.substr(begin, text.find('\n', at) - begin);
}

Json one_object(const std::vector<std::string>& arguments, const std::string& db) {
  const auto result = belay_run(arguments, db);
  CHECK(result.exit_code == 0);
  const auto rows = json_lines(result.out);
  REQUIRE(rows.size() == 1);
  REQUIRE(rows.front().is_object());
  return rows.front();
}

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

}  // namespace

TEST_SUITE("process/cli") {
  TEST_CASE("list shows every transaction, newest first, live and after a crash and a close") {
    StateFile state;
    REQUIRE(state.ready());
    CHECK(listed({}, state.path()) == StateFile::gids());
    CHECK(listed({}, state.crashed_copy()) == StateFile::gids());
    state.close();
    CHECK(listed({}, state.path()) == StateFile::gids());
  }

  TEST_CASE("reading leaves the files of a crashed engine as they are") {
    StateFile state;
    REQUIRE(state.ready());
    const auto copy = state.crashed_copy();
    const auto sum = [&copy] { return run({.argv = {"/usr/bin/cksum", copy, copy + "-wal"}}).out; };
    const auto before = sum();
    for (const char* command : {"list", "stuck", "stats", "check"}) {
      CHECK(belay_run({command}, copy).exit_code == 0);
    }
    CHECK(before != "");
    CHECK(sum() == before);
  }

  TEST_CASE("list's filters keep what they name") {
    StateFile state;
    REQUIRE(state.ready());
    const auto with = [&state](const std::vector<std::string>& words) {
      return listed(words, state.path());
    };
    CHECK(with({"--status", "succeed"}) == Gids{"ok-2", "ok-1"});
    CHECK(with({"--status", "failed"}) == Gids{"no-1"});
    CHECK(with({"--status", "aborting"}) == Gids{});
    CHECK(with({"--mode", "saga", "--finished"}) == Gids{"no-1", "ok-2", "ok-1"});
    CHECK(with({"--unfinished"}) == Gids{"silent-1", "parked-1", "stuck-1"});
    CHECK(with({"--stuck"}) == Gids{"parked-1", "stuck-1"});
    CHECK(with({"--handler", "nobody.here"}) == Gids{"parked-1"});
    CHECK(with({"--handler", "no"}) == Gids{"no-1"});
    CHECK(with({"--gid-prefix", "ok-"}) == Gids{"ok-2", "ok-1"});
    CHECK(with({"--gid-prefix", "ok_"}) == Gids{});
    CHECK(with({"--older-than", "1h"}) == Gids{});
    CHECK(with({"--newer-than", "1h"}) == StateFile::gids());
    CHECK(with({"--gid-prefix", "ok-", "--limit", "1"}) == Gids{"ok-2"});
  }

  TEST_CASE("pages join without a gap or a repetition") {
    StateFile state;
    REQUIRE(state.ready());
    Gids all;
    std::string before;
    for (int pages = 0; pages < 4; ++pages) {
      std::vector<std::string> words = {"list", "--json", "--limit", "2"};
      if (!before.empty()) words.insert(words.end(), {"--page-before", before});
      const auto rows = json_lines(belay_run(words, state.path()).out);
      CHECK(rows.size() == (pages < 3 ? 2u : 0u));
      for (const auto& row : rows) {
        all.push_back(row.at("gid"));
        before = std::to_string(row.at("id").get<std::int64_t>());
      }
    }
    CHECK(all == StateFile::gids());
  }

  TEST_CASE("a page of the table says how to get the next one") {
    StateFile state;
    REQUIRE(state.ready());
    const auto page = belay_run({"list", "--limit", "2"}, state.path());
    CHECK(line_count(page.out) == 3);
    const auto hint = page.err.find("--page-before ");
    REQUIRE(hint != std::string::npos);
    auto id = page.err.substr(hint + 14);
    id.erase(id.find_last_not_of("\n") + 1);
    CHECK(listed({"--page-before", id, "--limit", "1"}, state.path()) == Gids{"stuck-1"});
    CHECK(belay_run({"list"}, state.path()).err == "");
  }

  TEST_CASE(
      "a row's keys are the columns of transactions and the obstacle, with null where there is "
      "nothing") {
    StateFile state;
    REQUIRE(state.ready());
    const std::set<std::string> columns = {"id",     "gid",        "mode",       "status",
                                           "stuck",  "created_at", "updated_at", "finished_at",
                                           "due_at", "attempts",   "last_error", "trace_id",
                                           "result", "definition", "obstacle"};
    for (const auto& row : json_lines(belay_run({"list", "--json"}, state.path()).out)) {
      CHECK(keys_of(row) == columns);
      CHECK(row.at("mode") == "saga");
      CHECK(row.at("created_at").get<std::int64_t>() > 1'700'000'000'000);
      CHECK(row.at("finished_at").is_null() == (row.at("status") == "submitted"));
      CHECK(row.at("definition").is_object());
      const bool traced = row.at("gid") == "ok-2";
      CHECK(row.at("trace_id") == (traced ? Json("4bf92f3577b34da6a3ce929d0e0e4736") : Json()));
    }
  }

  TEST_CASE("show prints each branch with its attempts, its last error and what is next") {
    StateFile state;
    REQUIRE(state.ready());
    const auto shown = belay_run({"show", "stuck-1"}, state.path());
    CHECK(shown.exit_code == 0);
    CHECK(contains(shown.out, "stuck-1  saga submitted, stuck\n"));
    const auto line = line_with(shown.out, "  unreachable ");
    CHECK(contains(line, "started"));
    CHECK(contains(line, "HTTP 502"));
    CHECK((contains(line, " in ") || contains(line, " now ")));
    const auto object = one_object({"show", "stuck-1", "--json"}, state.path());
    CHECK(object.at("stuck") == true);
    CHECK(object.at("attempts") >= 4);
    CHECK(object.at("timeline").front().at("event") == "submitted");
    for (const auto& branch : object.at("branches")) {
      const bool waits = branch.at("target") == "unreachable";
      CHECK((branch.at("status") == "started") == waits);
      CHECK((branch.at("attempts") >= 3) == waits);
      CHECK(branch.at("due_at").is_null() != waits);
    }
  }

  TEST_CASE("log tells what happened in order, from the submit on") {
    StateFile state;
    REQUIRE(state.ready());
    const auto told = belay_run({"log", "no-1"}, state.path());
    CHECK(told.exit_code == 0);
    CHECK(contains(line_with(told.out, "submitted"), "+0.000s"));
    CHECK(contains(told.out, "aborting"));
    std::vector<std::string> events;
    std::int64_t last = 0;
    for (const auto& row : json_lines(belay_run({"log", "no-1", "--json"}, state.path()).out)) {
      CHECK(keys_of(row) == std::set<std::string>{"at", "branch_id", "detail", "event", "op",
                                                  "outcome", "repeats"});
      events.push_back(row.at("event"));
      CHECK(row.at("at") >= last);
      last = row.at("at");
    }
    REQUIRE(events.size() >= 4);
    CHECK(events.front() == "submitted");
    CHECK(events.back() == "finished");
    CHECK(std::count(events.begin(), events.end(), "aborting") == 1);
  }

  TEST_CASE("a reason's control characters and broken bytes disturb neither terminal nor JSON") {
    StateFile state;
    REQUIRE(state.ready());
    for (const char* command : {"list", "show", "log"}) {
      std::vector<std::string> words = {command};
      if (words.front() != "list") words.emplace_back("no-1");
      const auto table = belay_run(words, state.path());
      CHECK(contains(table.out, "account\\nclosed \\x1b[31m"));
      CHECK(!contains(table.out, "\x1b"));
      words.emplace_back("--json");
      const auto rows = json_lines(belay_run(words, state.path()).out);
      CHECK(!rows.empty());
      for (const auto& row : rows) CHECK(row.is_object());
    }
    const auto object = one_object({"show", "no-1", "--json"}, state.path());
    CHECK(contains(object.at("last_error"), "account\nclosed \x1b[31m\xef\xbf\xbd"));
  }

  TEST_CASE("stuck names the branch, the handler and the reason") {
    StateFile state;
    REQUIRE(state.ready());
    for (const auto& db : {state.path(), state.crashed_copy()}) {
      const auto table = belay_run({"stuck"}, db);
      CHECK(table.exit_code == 0);
      CHECK(contains(line_with(table.out, "stuck-1"), "02      action  unreachable"));
      CHECK(contains(line_with(table.out, "stuck-1"), "HTTP 502"));
      CHECK(contains(line_with(table.out, "parked-1"),
                     "no handler named 'nobody.here' is registered"));
      const auto rows = json_lines(belay_run({"stuck", "--json"}, db).out);
      REQUIRE(rows.size() == 2);
      CHECK(rows[0].at("gid") == "parked-1");
      CHECK(rows[0].at("branch_status") == "parked");
      CHECK(rows[1].at("target") == "unreachable");
      CHECK(rows[1].at("attempts") >= 3);
    }
  }

  TEST_CASE("stuck says how many it does not show") {
    StateFile state;
    REQUIRE(state.ready());
    const auto one = belay_run({"stuck", "--limit", "1"}, state.path());
    CHECK(contains(one.out, "parked-1"));
    CHECK(!contains(one.out, "stuck-1"));
    CHECK(contains(one.out, "1 shown, of more"));
    CHECK(line_count(belay_run({"stuck", "--limit", "1", "--json"}, state.path()).out) == 1);
    CHECK(contains(belay_run({"stuck", "--limit", "0"}, state.path()).out, "2 stuck; see"));
  }

  TEST_CASE("backup copies a file in use, and replaces nothing") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    const TempDir dir;
    const auto to = dir.file("copy.db");
    const auto object = one_object({"backup", to, "--json"}, state.path());
    CHECK(object.at("backup") == to);
    CHECK(object.at("bytes") > 0);
    CHECK(object.at("unfinished") == 7);
    CHECK(listed({}, to) == listed({}, state.path()));
    CHECK(belay_run({"check"}, to).exit_code == 0);
    const auto again = belay_run({"backup", to}, state.path());
    CHECK(again.exit_code == 1);
    CHECK(contains(again.err, "there is a file " + to + " already"));
    const auto other = dir.file("other.db");
    CHECK(contains(belay_run({"backup", other}, state.path()).out, "7 unfinished and "));
    CHECK(belay_run({"backup", dir.file("no/folder/x.db")}, state.path()).exit_code == 1);
    CHECK(belay_run({"backup", dir.file("x.db")}, dir.file("no.db")).exit_code == 3);
  }

  TEST_CASE("nothing stuck is said in words, and in JSON by silence") {
    TempDir dir;
    const auto db = dir.file("empty.db");
    REQUIRE(belay::Engine::open(db));
    CHECK(belay_run({"stuck"}, db).out == "nothing is stuck\n");
    CHECK(belay_run({"stuck", "--json"}, db).out == "");
    const auto none = belay_run({"list"}, db);
    CHECK(none.exit_code == 0);
    CHECK(none.out == "");
    CHECK(none.err == "no transaction matches\n");
  }

  TEST_CASE("list tells the modes apart") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    for (const auto& db : {state.path(), state.crashed_copy()}) {
      CHECK(listed({"--mode", "saga"}, db) == StateFile::gids());
      CHECK(listed({"--mode", "tcc"}, db) == Gids{"tcc-3", "tcc-2", "tcc-1"});
      CHECK(listed({"--mode", "xa"}, db) == Gids{"xa-2", "xa-1"});
      CHECK(listed({"--mode", "msg"}, db) == Gids{"msg-2", "msg-1"});
      CHECK(listed({"--mode", "msg", "--status", "prepared"}, db) == Gids{"msg-1"});
      CHECK(listed({"--handler", "topic://news"}, db) == Gids{"msg-2"});
    }
  }

  TEST_CASE("show prints what a two-phase branch came to, not what never runs") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    const auto done = belay_run({"show", "tcc-1"}, state.path()).out;
    CHECK(contains(done, "tcc-1  tcc succeed\n"));
    CHECK(contains(done, "01      try      yes      succeed"));
    CHECK(contains(done, "01      confirm  yes      succeed"));
    CHECK(!contains(done, "cancel"));
    const auto back = belay_run({"show", "tcc-2"}, state.path()).out;
    CHECK(contains(back, "tcc-2  tcc aborting, stuck\n"));
    CHECK(contains(back, "reason      no money"));
    CHECK(contains(back, "02      try     no           failed"));
    CHECK(contains(back, "02      cancel  unreachable  started"));
    CHECK(!contains(back, "confirm"));
    const auto xa = belay_run({"show", "xa-2"}, state.path()).out;
    CHECK(contains(xa, "01      prepare  yes          succeed"));
    CHECK(contains(xa, "01      commit   nobody.here  parked"));
    CHECK(!contains(xa, "rollback"));
    const auto msg = belay_run({"show", "msg-1"}, state.path()).out;
    CHECK(contains(msg, "last error  HTTP 502"));
    CHECK(contains(msg, "01      action  yes          idle"));
    CHECK(contains(msg, "00      query   unreachable  started"));
    const auto object = one_object({"show", "tcc-1", "--json"}, state.path());
    CHECK(object.at("branches").size() == 3);
  }

  TEST_CASE("log tells of what was prepared, added and decided") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    const auto events = [&](const char* gid) {
      std::string all;
      for (const auto& row : json_lines(belay_run({"log", gid, "--json"}, state.path()).out)) {
        all += row.at("event").get<std::string>();
        if (!row.at("branch_id").is_null()) all += " " + row.at("branch_id").get<std::string>();
        if (!row.at("op").is_null()) all += " " + row.at("op").get<std::string>();
        all += "\n";
      }
      return all;
    };
    CHECK(events("xa-1") ==
          "submitted\nanswered 01 prepare\ncommitting\nanswered 01 commit\nfinished\n");
    CHECK(
        events("tcc-2").starts_with("prepared\nanswered 01 try\nadded 02\nanswered 02 try\n"
                                    "aborting\n"));
    CHECK(events("msg-2").starts_with("submitted\nadded 02\n"));
    CHECK(events("msg-1") == "prepared\nanswered 00 query\n");
    const auto told = belay_run({"log", "tcc-2"}, state.path()).out;
    CHECK(contains(line_with(told, "added"), "02"));
    CHECK(contains(belay_run({"log", "xa-1"}, state.path()).out, "committing\n"));
  }

  TEST_CASE("stuck names the cancel, the commit and the back-check that it waits for") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    for (const auto& db : {state.path(), state.crashed_copy()}) {
      const auto table = belay_run({"stuck"}, db).out;
      CHECK(contains(line_with(table, "tcc-2"), "02      cancel  unreachable"));
      // Its try may have run, and is given up all the same.
      CHECK(contains(line_with(table, "tcc-3"), "01      cancel  unreachable"));
      CHECK(contains(line_with(table, "xa-2"), "01      commit  nobody.here"));
      CHECK(contains(line_with(table, "xa-2"), "no handler named 'nobody.here' is registered"));
      CHECK(contains(line_with(table, "msg-1"), "00      query   unreachable"));
      CHECK(json_lines(belay_run({"stuck", "--json"}, db).out).size() == 6);
    }
  }

  TEST_CASE("list and show name what one that turned back waits for, and why it turned back") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    for (const auto& db : {state.path(), state.crashed_copy()}) {
      CHECK(contains(line_with(belay_run({"list"}, db).out, "tcc-2"),
                     "branch 02 (cancel unreachable): HTTP 502; it turned back: no money"));
      const auto shown = belay_run({"show", "tcc-2"}, db).out;
      CHECK(contains(shown, "reason      no money"));
      CHECK(contains(shown, "waits for   branch 02 (cancel unreachable): HTTP 502"));
      const auto row = one_object({"show", "tcc-2", "--json"}, db);
      CHECK(row.at("obstacle") == "branch 02 (cancel unreachable): HTTP 502");
      CHECK(one_object({"show", "tcc-1", "--json"}, db).at("obstacle").is_null());
      for (const auto& branch : json_lines(belay_run({"stuck", "--json"}, db).out)) {
        if (branch.at("gid") == "tcc-2") CHECK(branch.at("reason") == "no money");
        if (branch.at("gid") == "xa-2") CHECK(branch.at("reason").is_null());
      }
    }
  }

  TEST_CASE("topics shows who is subscribed to what, live and after a crash") {
    StateFile state(StateFile::Modes::all);
    REQUIRE(state.ready());
    for (const auto& db : {state.path(), state.crashed_copy()}) {
      const auto table = belay_run({"topics"}, db);
      CHECK(table.exit_code == 0);
      CHECK(table.out == "TOPIC  TARGET   REMARK\nnews   yes      all\\nof it\nnews   yes.too\n");
      const auto rows = json_lines(belay_run({"topics", "--json"}, db).out);
      REQUIRE(rows.size() == 2);
      CHECK(rows[0] == Json{{"topic", "news"}, {"target", "yes"}, {"remark", "all\nof it"}});
      CHECK(rows[1] == Json{{"topic", "news"}, {"target", "yes.too"}, {"remark", nullptr}});
    }
    TempDir dir;
    const auto empty = dir.file("empty.db");
    REQUIRE(belay::Engine::open(empty));
    const auto none = belay_run({"topics"}, empty);
    CHECK(none.exit_code == 0);
    CHECK(none.out == "");
    CHECK(none.err == "there are no topics\n");
    CHECK(belay_run({"topics", "--json"}, empty).out == "");
    CHECK(belay_run({"topics"}, dir.file("nothing.db")).exit_code == 3);
  }

  TEST_CASE("passwords and tokens are hidden by every command, unless asked for") {
    TempDir dir;
    const auto db = dir.file("state.db");
    {
      auto engine = belay::Engine::open(db);
      REQUIRE(engine.has_value());
      REQUIRE(engine->start());
      const std::string url = "http://user:word@127.0.0.1:1/x?token=abc";
      REQUIRE(engine->subscribe({"news", url}));
      belay::Saga saga("g");
      saga.step(url, url).header("Authorization", "Bearer word").header("X-H", "seen");
      belay::StepOptions options;
      options.headers = {{"Cookie", "word"}};
      saga.step(url, url, "", options).delay(belay::Millis{3'600'000});
      REQUIRE(engine->submit(saga));
      REQUIRE(engine->force_stop("g", "see " + url));
      REQUIRE(engine->hold(url, "asked at " + url));
      REQUIRE(engine->submit(belay::Saga("waits").step(url, "")));
    }
    for (const std::vector<std::string>& command : {std::vector<std::string>{"list"},
                                                    {"show", "g"},
                                                    {"log", "g"},
                                                    {"topics"},
                                                    {"stuck"},
                                                    {"holds"},
                                                    {"why", "waits"}}) {
      for (const bool json : {false, true}) {
        auto words = command;
        if (json) words.emplace_back("--json");
        CAPTURE(words[0]);
        const auto hidden = belay_run(words, db);
        CHECK(hidden.exit_code == 0);
        CHECK_FALSE(contains(hidden.out, "word"));
        CHECK_FALSE(contains(hidden.out, "abc"));
        words.emplace_back("--show-secrets");
        CHECK(belay_run(words, db).exit_code == 0);
      }
    }
    const auto shown = belay_run({"show", "g", "--json", "--show-secrets"}, db).out;
    CHECK(contains(shown, "Bearer word"));
    CHECK(contains(shown, "user:word@"));
    CHECK(contains(belay_run({"show", "g", "--json"}, db).out, "seen"));
    CHECK(contains(belay_run({"why", "waits"}, db).out, "An operator held http://***@127.0.0.1"));
  }

  TEST_CASE("stats counts by status and names the engine that has the file open") {
    StateFile state;
    REQUIRE(state.ready());
    auto stats = one_object({"stats", "--json"}, state.path());
    CHECK(stats.at("submitted") == 3);
    CHECK(stats.at("succeed") == 2);
    CHECK(stats.at("failed") == 1);
    CHECK(stats.at("stuck") == 2);
    CHECK(contains(stats.at("holder"), std::to_string(::getpid())));
    CHECK(contains(belay_run({"stats"}, state.path()).out, "succeed                2\n"));
    state.close();
    stats = one_object({"stats", "--json"}, state.path());
    CHECK(stats.at("holder").is_null());
    CHECK(stats.at("succeed") == 3);  // silent-1 was answered before the close
  }

  TEST_CASE("watch appends a line a look where there is no terminal") {
    StateFile state;
    REQUIRE(state.ready());
    const auto lines = belay_run({"watch", "--count", "3", "--interval", "10ms"}, state.path());
    CHECK(lines.exit_code == 0);
    CHECK(line_count(lines.out) == 3);
    CHECK(!contains(lines.out, "\x1b"));
    const auto rows = json_lines(
        belay_run({"watch", "--count", "2", "--interval", "10ms", "--json"}, state.path()).out);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].at("succeed_per_s").is_null());
    CHECK(rows[1].at("succeed_per_s") == 0.0);
    CHECK(rows[1].at("stuck") == 2);
  }

  TEST_CASE("watch ends with 0 when it is interrupted") {
    StateFile state;
    REQUIRE(state.ready());
    Process watch(belay_spawn({"watch", "--json", "--interval", "10ms"}, state.path()));
    REQUIRE(watch.wait_for_output("\n"));
    watch.kill(SIGINT);
    const auto ended = watch.wait();
    CHECK(ended.exit_code == 0);
    CHECK(ended.err == "");
  }

  TEST_CASE("a reader that goes away ends a command quietly") {
    StateFile state;
    REQUIRE(state.ready());
    Process watch(belay_spawn({"watch", "--interval", "10ms"}, state.path()));
    REQUIRE(watch.wait_for_output("\n"));
    watch.close_output();
    const auto ended = watch.wait();
    CHECK(ended.exit_code == 0);
    CHECK(ended.err == "");
  }
}
