// Goal: whatever is wrong, the command ends with the exit code it documents and one line that says
// what to do.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "state_file.h"

namespace {

using namespace belay::test;

// "belay: what happened: what to do", and nothing else.
bool is_one_error_line(const std::string& text) {
  return text.starts_with("belay: ") && line_count(text) == 1 && text.ends_with("\n") &&
         text.find(": ", 7) != std::string::npos;
}

void check_fails(const std::vector<std::string>& arguments, const std::string& db, int exit_code) {
  CAPTURE(arguments.empty() ? "" : arguments.front());
  const auto result = belay_run(arguments, db);
  CAPTURE(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK(result.out == "");
  CHECK(is_one_error_line(result.err));
}

bool run_sql(const std::string& db, const char* sql) {
  sqlite3* handle = nullptr;
  const bool done =
      sqlite3_open_v2(db.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
      sqlite3_exec(handle, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
  sqlite3_close(handle);
  return done;
}

constexpr const char* kReading[] = {"list", "stuck", "topics", "stats", "check", "watch"};

// A new state file whose engine had the realm "a" in both kinds of database.
void make_with_realms(const std::string& path) {
  REQUIRE(belay::Engine::open(path));
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db,
                     "INSERT INTO meta VALUES('xa_realm:postgresql:a', 'stock'),"
                     " ('xa_realm:mariadb:a', 'bank')",
                     nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

}  // namespace

TEST_SUITE("process/cli-errors") {
  TEST_CASE("wrong usage ends with 2 and says it in one line") {
    TempDir dir;
    const auto db = dir.file("any.db");
    const std::vector<std::vector<std::string>> wrong = {
        {"lst"},
        {"--frob"},
        {"list", "extra"},
        {"list", "--frob"},
        {"list", "--status", "gone"},
        {"list", "--mode", "tango"},
        {"list", "--older-than", "5"},
        {"list", "--older-than", "5 s"},
        {"list", "--older-than", "-5s"},
        {"list", "--newer-than", "99999999999d"},
        {"list", "--limit", "-1"},
        {"list", "--limit", "many"},
        {"list", "--page-before", "0x10"},
        {"list", "--finished", "--unfinished"},
        {"list", "--db"},
        {"show"},
        {"show", "a", "b"},
        {"log"},
        {"watch", "--interval", "soon"},
        {"completion", "cmd.exe"},
        {"list", "--status", "two\nlines"},
    };
    for (const auto& words : wrong) check_fails(words, db, 2);
    check_fails({"--db", db}, "", 2);
  }

  TEST_CASE("a bad value is refused by a line that begins with its option") {
    TempDir dir;
    const auto db = dir.file("state.db");
    REQUIRE(belay::Engine::open(db));
    const struct {
      std::vector<std::string> words;
      const char* says;
    } cases[] = {
        {{"list", "--stuck=maybe"}, "--stuck: 'maybe' is neither true nor false"},
        {{"list", "--json=x"}, "--json: 'x' is neither true nor false"},
        {{"list", "--limit"}, "--limit: its value is missing"},
        {{"list", "--limit=", "5"}, "--limit: '' is no whole number"},
        {{"list", "--limit", "1", "--limit", "2"}, "--limit: it may be given only once"},
        {{"watch", "--interval", "0s"}, "--interval: 0s is not possible, it must be at least 1ms"},
        {{"watch", "--count", "0"}, "--count: 0 is not possible, it must be at least 1"},
        {{"xa"}, "no command"},
        {{"xa", "orphan"}, "there is no command 'orphan'"},
        {{"help", "lsit"}, "there is no command 'lsit'"},
        {{"xa", "orphans", "--realm", "a", "--postgresql", "dbname", "--state-lost"},
         "--postgresql: "},
        {{"xa", "orphans", "--realm", "a", "--mariadb", "frob=1", "--state-lost"}, "--mariadb: "},
        {{"demo", "--first", "0"}, "--first: 0 is not possible, it must be at least 1"},
        {{"demo", "--accounts", "1000001"}, "--accounts: 1000001 is not possible, it must be 1 to"},
        {{"demo", "--kill-at", "half"}, "--kill-at: 'half' is no whole number"},
        {{"demo", "--mode", "xa", "--in-flight", "65"}, "--in-flight: 65 is not possible with"},
    };
    for (const auto& one : cases) {
      CAPTURE(one.says);
      check_fails(one.words, dir.file("missing.db"), 2);
      CHECK(belay_run(one.words, db).err.starts_with(std::string("belay: ") + one.says));
    }
    // The word behind an empty value is not that value.
    CHECK(belay_run({"--db=", "list"}, db).exit_code == 0);
  }

  TEST_CASE("without a command the help goes to stderr, and with --help to stdout") {
    const auto bare = belay_run({});
    CHECK(bare.exit_code == 2);
    CHECK(bare.out == "");
    const auto help = belay_run({"--help"});
    CHECK(help.exit_code == 0);
    CHECK(help.err == "");
    CHECK(help.out == bare.err);
    CHECK(help.out.find("Exit codes:") != std::string::npos);
    for (const char* command :
         {"list", "show", "log", "stuck", "why", "stats", "watch", "check", "backup", "version"}) {
      CHECK(help.out.find("\n  " + std::string(command)) != std::string::npos);
      const auto own = belay_run({command, "--help"});
      CHECK(own.exit_code == 0);
      CHECK(own.out.find("Example") != std::string::npos);
      CHECK(belay_run({"help", command}).out == own.out);
    }
  }

  TEST_CASE("no state file named is wrong usage, and none there is not found") {
    TempDir dir;
    const auto missing = dir.file("missing.db");
    for (const char* command : kReading) {
      check_fails({command}, "", 2);
      check_fails({command}, missing, 3);
      check_fails({command, "--db", missing}, "", 3);
    }
    CHECK(std::filesystem::is_empty(dir.path()));
  }

  TEST_CASE("--db is taken before and after the command, and wins over BELAY_DB") {
    TempDir dir;
    const auto db = dir.file("state.db");
    REQUIRE(belay::Engine::open(db));
    const auto missing = dir.file("missing.db");
    CHECK(belay_run({"stats"}, db).exit_code == 0);
    CHECK(belay_run({"--db", db, "stats"}, missing).exit_code == 0);
    CHECK(belay_run({"stats", "--db", db}, missing).exit_code == 0);
    CHECK(belay_run({"stats", "--db=" + db}).exit_code == 0);
    CHECK(belay_run({"--json", "stats"}, db).out == belay_run({"stats", "--json"}, db).out);
  }

  TEST_CASE("an unknown transaction is not found") {
    TempDir dir;
    const auto db = dir.file("state.db");
    REQUIRE(belay::Engine::open(db));
    check_fails({"show", "nobody"}, db, 3);
    check_fails({"log", "nobody"}, db, 3);
    check_fails({"show", "two\nlines"}, db, 3);
  }

  TEST_CASE("xa orphans says what is wrong before and without any server") {
    TempDir dir;
    const auto db = dir.file("state.db");
    make_with_realms(db);
    const auto with = [](const std::vector<std::string>& words) {
      std::vector<std::string> all = {"xa", "orphans"};
      all.insert(all.end(), words.begin(), words.end());
      return all;
    };
    check_fails({"xa"}, db, 2);
    check_fails({"xa", "orphan"}, db, 2);
    check_fails(with({"--postgresql", "host=/nowhere"}), db, 2);  // no realm
    check_fails(with({"--realm", "a"}), db, 2);                   // no database
    check_fails(with({"--realm", "", "--postgresql", "host=/nowhere"}), db, 2);
    check_fails(with({"--realm", "a", "--postgresql"}), db, 2);
    check_fails(with({"--realm", "a", "--postgresql", "host=/x", "--mariadb", "socket=/x"}), db, 2);
    for (const char* kind : {"--postgresql", "--mariadb"}) {
      CAPTURE(kind);
      check_fails(with({"--realm", "a", kind, "host=/nowhere"}), "", 2);
      check_fails(with({"--realm", "a", kind, "host=/nowhere"}), dir.file("missing.db"), 3);
      check_fails(with({"--realm", "a", kind, "no such thing"}), db, 2);
      check_fails(with({"--realm", "b", kind, "host=/x"}), db, 3);
      check_fails(with({"--realm", "a", kind, "host=/x", "--state-lost"}), db, 2);
      check_fails(with({"--realm", "a", kind, "host=/x", "--rollback", "--commit"}), db, 2);
      check_fails(with({"--realm", "a", kind, "host=/x", "--older-than", "soon"}), db, 2);
    }
    check_fails(with({"--realm", "a", "--postgresql", "host=/nowhere"}), db, 1);
    check_fails(with({"--realm", "a", "--mariadb", "socket=/nowhere/s"}), db, 1);
  }

  TEST_CASE("a file that is no state file is refused and left alone") {
    TempDir dir;
    const auto db = dir.file("garbage.db");
    const std::string garbage(8192, 'x');
    std::ofstream(db) << garbage;
    for (const char* command : {"list", "stuck", "stats", "watch"}) check_fails({command}, db, 6);
    CHECK(belay_run({"check"}, db).exit_code == 6);
    std::ifstream after(db);
    CHECK(std::string(std::istreambuf_iterator<char>(after), {}) == garbage);
    CHECK(belay_run({"list", "--db", dir.path()}).exit_code != 0);
  }

  TEST_CASE("a database of somebody else's is refused") {
    TempDir dir;
    const auto db = dir.file("other.db");
    std::ofstream(db).flush();
    REQUIRE(run_sql(db, "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')"));
    const auto result = belay_run({"list"}, db);
    CHECK(result.exit_code != 0);
    CHECK(is_one_error_line(result.err));
  }

  TEST_CASE("a file of a newer version is refused") {
    TempDir dir;
    const auto db = dir.file("state.db");
    REQUIRE(belay::Engine::open(db));
    REQUIRE(run_sql(db, "PRAGMA user_version = 999999"));
    for (const char* command : kReading) check_fails({command}, db, 1);
    CHECK(belay_run({"list"}, db).err.find("version") != std::string::npos);
  }

  TEST_CASE("check finds a sound file sound, live and dead") {
    StateFile state;
    REQUIRE(state.ready());
    for (const auto& db : {state.path(), state.crashed_copy()}) {
      const auto result = belay_run({"check"}, db);
      CAPTURE(result.out);
      CHECK(result.exit_code == 0);
      CHECK(result.out.starts_with("sound: "));
      const auto rows = json_lines(belay_run({"check", "--json"}, db).out);
      REQUIRE(rows.size() == 1);
      CHECK(rows[0].at("sound") == true);
      CHECK(rows[0].at("problems").empty());
    }
  }

  TEST_CASE("check names the log row that is not what was written") {
    StateFile state;
    REQUIRE(state.ready());
    const auto copy = state.crashed_copy();
    REQUIRE(run_sql(copy,
                    "UPDATE log SET records = substr(records, 1, length(records) - 1) || x'5a'"
                    " WHERE lsn = (SELECT max(lsn) FROM log)"));
    const auto result = belay_run({"check"}, copy);
    CHECK(result.exit_code == 6);
    CHECK(result.out != "");
    CHECK(is_one_error_line(result.err));
    const auto rows = json_lines(belay_run({"check", "--json"}, copy).out);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].at("sound") == false);
    CHECK(rows[0].at("problems").size() == 1);
    CHECK(belay_run({"list"}, copy).exit_code == 6);
  }

  TEST_CASE("a file that may only be read is read") {
    StateFile state;
    REQUIRE(state.ready());
    state.close();
    namespace fs = std::filesystem;
    fs::permissions(state.path(), fs::perms::owner_read);
    CHECK(json_lines(belay_run({"list", "--json"}, state.path()).out).size() == StateFile::kCount);
    CHECK(belay_run({"check"}, state.path()).exit_code == 0);
  }

  TEST_CASE("on a read-only filesystem a closed file is read, and a crashed one is refused") {
    StateFile state;
    REQUIRE(state.ready());
    const auto crashed = std::filesystem::path(state.crashed_copy()).filename().string();
    state.close();
    const auto folder = state.dir().path();
    // Mounted for this one process; not every machine lets us do that.
    const auto sealed = [&](const std::string& name, const std::string& command) {
      auto spawn = belay_spawn({}, folder + "/" + name);
      spawn.argv = {"/bin/sh",
                    "-c",
                    "exec unshare -rm sh -c 'mount --bind \"$1\" \"$1\" && mount -o "
                    "remount,ro,bind \"$1\" && exec \"$2\" $3' sh \"$0\" \"$1\" \"$2\"",
                    folder,
                    spawn.argv[0],
                    command};
      return run(spawn);
    };
    const auto name = std::filesystem::path(state.path()).filename().string();
    const auto listed = sealed(name, "list --json");
    if (listed.exit_code != 0 && !contains(listed.err, "belay")) {
      MESSAGE("no mount: " << listed.err);
      return;
    }
    CHECK(listed.err == "");
    CHECK(json_lines(listed.out).size() == StateFile::kCount);
    CHECK(sealed(name, "check").exit_code == 0);
    CHECK(sealed(name, "stats").exit_code == 0);
    CHECK(sealed(name, "show no-1").exit_code == 0);
    const auto refused = sealed(crashed, "list");
    CHECK(refused.exit_code == 1);
    CHECK(is_one_error_line(refused.err));
    CHECK(contains(refused.err, "copy the file with its -wal elsewhere"));
  }

  TEST_CASE("output that cannot be written is an error") {
    TempDir dir;
    const auto db = dir.file("state.db");
    REQUIRE(belay::Engine::open(db));
    // A shell only for the redirection; no other test needs one.
    const auto spawn = belay_spawn({"stats"}, db);
    const auto result =
        run({.argv = {"/bin/sh", "-c", "exec \"$0\" stats >/dev/full", spawn.argv[0]},
             .env = spawn.env});
    CHECK(result.exit_code == 1);
    CHECK(is_one_error_line(result.err));
  }

  TEST_CASE("version prints the library's version") {
    const auto expected = std::string(belay::version());
    CHECK(belay_run({"version"}).out == "belay " + expected + "\n");
    CHECK(belay_run({"--version"}).out == "belay " + expected + "\n");
    CHECK(json_lines(belay_run({"version", "--json"}).out).at(0).at("version") == expected);
  }

  TEST_CASE("each shell's completion names every command") {
    for (const char* shell : {"bash", "zsh", "fish"}) {
      const auto script = belay_run({"completion", shell});
      CHECK(script.exit_code == 0);
      for (const char* word : {"list", "show", "log", "stuck", "topics", "stats", "watch", "check",
                               "page-before", "saga tcc xa msg", "0600 0640", "hidden shown", "why",
                               "handler host error", "backup", "replay", "stop"}) {
        CHECK(script.out.find(word) != std::string::npos);
      }
    }
  }
}
