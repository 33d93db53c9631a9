// Goal: the main job says what is true, in every mode, on good input and bad, undisturbed, killed,
// and with a bank that is down.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "belay/features.h"
#include "demo/bank.h"
#include "demo/sqlite.h"
#include "support/process.h"

namespace {

using namespace belay::test;
using Json = nlohmann::json;
using Words = std::vector<std::string>;

Spawn demo(Words words) {
  const char* program = std::getenv("BELAY_PROGRAM");
  REQUIRE_MESSAGE(program != nullptr, "BELAY_PROGRAM names the program to test");
  words.insert(words.begin(), {program, "demo"});
  return {.argv = words, .limit = std::chrono::seconds(100)};
}

Json json_of(const Finished& finished) {
  CAPTURE(finished.err);
  CAPTURE(finished.out);
  auto json = Json::parse(finished.out, nullptr, false);
  REQUIRE(json.is_object());
  return json;
}

// Runs it with --json; the run must end well.
Json figures(Words words) {
  words.push_back("--json");
  const auto finished = run(demo(words));
  CAPTURE(finished.err);
  CHECK(finished.exit_code == 0);
  auto json = json_of(finished);
  CHECK(json["fine"] == true);
  CHECK(json["problems"].empty());
  CHECK(json["before_cents"] == json["after_cents"]);
  CHECK(json["before_cents"] ==
        json["before_cents_a"].get<std::int64_t>() + json["before_cents_b"].get<std::int64_t>());
  CHECK(json["after_cents"] ==
        json["after_cents_a"].get<std::int64_t>() + json["after_cents_b"].get<std::int64_t>());
  CHECK(json["succeeded"].get<int>() + json["rolled_back"].get<int>() == json["transfers"]);
  CHECK(json["unfinished"] == 0);
  CHECK(json["stuck"] == 0);
  return json;
}

// The totals, which no kill may change.
Json totals(const Json& figures) {
  Json result;
  for (const char* key : {"transfers", "succeeded", "rolled_back", "reasons", "before_cents_a",
                          "before_cents_b", "after_cents_a", "after_cents_b"}) {
    result[key] = figures.at(key);
  }
  return result;
}

std::string write_file(const std::string& path, std::string_view text) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  REQUIRE(file != nullptr);
  std::fwrite(text.data(), 1, text.size(), file);
  std::fclose(file);
  return path;
}

// A file of `rows` transfers that are all fine: one each from account to account, there and back.
std::string fine_file(const std::string& path, int rows, std::string_view prefix = "T") {
  std::string text;
  for (int i = 0; i < rows; ++i) {
    const bool forth = i % 2 == 0;
    text +=
        std::string(prefix) + std::to_string(i) + (forth ? ",a,1,b,1,0.01\n" : ",b,1,a,1,0.01\n");
  }
  return write_file(path, text);
}

// The accounts of ten that are open in both banks.
std::vector<std::string> open_accounts() {
  using namespace belay::demo;
  std::vector<std::string> accounts;
  for (std::int64_t account = 1; account <= 10; ++account) {
    if (!opening_of(BankId::a, account).closed && !opening_of(BankId::b, account).closed) {
      accounts.push_back(std::to_string(account));
    }
  }
  return accounts;
}

// Of ten rows seven are fine, one pays an account that is not there, one is paid by such a one, and
// one asks for more than there is.
std::string mixed_file(const std::string& path, int rows) {
  const auto accounts = open_accounts();
  std::string text;
  for (int i = 0; i < rows; ++i) {
    const bool forth = i % 2 == 0;
    const auto& account = accounts[static_cast<std::size_t>(i) % accounts.size()];
    text += "T" + std::to_string(i) + (forth ? ",a," : ",b,") + (i % 10 == 8 ? "999" : account) +
            (forth ? ",b," : ",a,") + (i % 10 == 7 ? "999" : account) +
            (i % 10 == 9 ? ",9999999\n" : ",0.01\n");
  }
  return write_file(path, text);
}

void change_bank(const std::string& path, const char* sql) {
  using belay::demo::Sqlite;
  auto database = Sqlite::open(path, Sqlite::Access::write);
  REQUIRE(database);
  REQUIRE(database->ask(std::string(sql)));
}

}  // namespace

TEST_SUITE("process/demo") {
  TEST_CASE("a run that is killed half-way has the totals of one that is not") {
    const TempDir calm, killed;
    const auto undisturbed = figures({"--dir", calm.path()});
    CHECK(undisturbed["transfers"] >= 20'000);
    CHECK(undisturbed["legs_checked"] == 2 * undisturbed["transfers"].get<int>());
    CHECK(undisturbed["statuses_checked"] == undisturbed["transfers"]);
    CHECK(undisturbed["forecast"] == undisturbed["transfers"]);
    CHECK(undisturbed["reasons"].size() == 3);
    CHECK_FALSE(undisturbed.contains("kill"));
    for (const char* percent : {"3", "50"}) {
      const auto disturbed = figures({"--dir", killed.file(percent), "--kill-at", percent});
      CHECK(totals(disturbed) == totals(undisturbed));
      const auto& kill = disturbed["kill"];
      CHECK(kill["came_too_late"] == false);
      CHECK(kill["answered"].get<int>() * 100 >=
            disturbed["transfers"].get<int>() * std::atoi(percent));
      CHECK(kill["answered"] < disturbed["transfers"]);
      CHECK(disturbed["repeated"] >= kill["answered"]);
      CHECK(disturbed["changed"] == 0);
    }
  }

  TEST_CASE("in every mode a killed run ends as one that is not") {
    const TempDir dir;
    constexpr int kRows = 300;
    const auto file = mixed_file(dir.file("mixed.csv"), kRows);
    std::vector<std::string> modes = {"saga", "tcc", "msg"};
    // Its servers are made only once: what must come of the file is the same.
    if (BELAY_HAS_POSTGRESQL && BELAY_HAS_MARIADB) modes.push_back("xa");
    // Servers of root run as somebody else, who must get to their folders.
    std::filesystem::permissions(dir.path(), std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
    for (const auto& mode : modes) {
      CAPTURE(mode);
      const bool delivers_all = mode == "msg";
      const auto run_in = [&](const std::string& place, const Words& more = {}) {
        Words words = {"--mode", mode,         "--transfers", file,    "--in-flight",
                       "16",     "--accounts", "10",          "--dir", place};
        words.insert(words.end(), more.begin(), more.end());
        const auto json = figures(words);
        CHECK(json["mode"] == mode);
        CHECK(json["succeeded"] == kRows * (delivers_all ? 8 : 7) / 10);
        CHECK(json["suspended"] == (delivers_all ? kRows / 10 : 0));
        CHECK(json["reasons"] == Json{{"insufficient funds", kRows / 10},
                                      {"no such account", kRows * (delivers_all ? 1 : 2) / 10}});
        CHECK(json["forecast"] == kRows);
        CHECK(json["changed"] == 0);
        return json;
      };
      const auto calm = mode == "xa" ? Json() : run_in(dir.file(mode));
      const auto killed = run_in(dir.file(mode + "-killed"), {"--kill-at", "40"});
      CHECK(killed["kill"]["came_too_late"] == false);
      const auto again = run_in(dir.file(mode + "-killed"));
      CHECK(again["repeated"] == kRows);
      CHECK(totals(again) == totals(killed));
      if (!calm.is_null()) CHECK(totals(killed) == totals(calm));
    }
  }

#if BELAY_TEST_SERVES
  TEST_CASE("over HTTP a run with engine and banks killed ends as one that is not") {
    const TempDir dir;
    constexpr int kRows = 200;
    const auto file = mixed_file(dir.file("mixed.csv"), kRows);
    for (const std::string mode : {"saga", "tcc", "msg"}) {
      CAPTURE(mode);
      const auto run_in = [&](const std::string& place, const Words& more) {
        Words words = {"--mode", mode,         "--transfers", file,    "--in-flight",
                       "16",     "--accounts", "10",          "--dir", place};
        words.insert(words.end(), more.begin(), more.end());
        return figures(words);
      };
      const auto within = run_in(dir.file(mode), {});
      CHECK(within["http"] == false);
      const auto killed = run_in(dir.file(mode + "-http"), {"--http", "--kill-at", "50"});
      CHECK(killed["http"] == true);
      CHECK(killed["bank_kills"].size() == 2);
      CHECK(killed["changed"] == 0);
      CHECK(totals(killed) == totals(within));
      // The same ports again, or it would be another file's work.
      const auto again = run_in(dir.file(mode + "-http"), {"--http"});
      CHECK(again["repeated"] == kRows);
      CHECK(totals(again) == totals(killed));
    }
  }

  TEST_CASE("banks that are processes die with the demo, and their port serves the next one") {
    const TempDir dir;
    const auto banks = dir.file("banks");
    const Words words = {"--http", "--transfers", fine_file(dir.file("many.csv"), 3'000), "--dir",
                         banks};
    {
      Process process(demo(words));
      REQUIRE(process.wait_for_output("25 %", std::chrono::seconds(60)));
      process.kill(SIGKILL);
      CHECK(process.wait().signal == SIGKILL);
    }
    const auto after = figures(words);
    CHECK(after["succeeded"] == 3'000);
    CHECK(after["repeated"] > 0);
  }
#endif

  TEST_CASE("a message whose payer was killed is delivered or was never debited") {
    const TempDir dir;
    const auto banks = dir.file("banks");
    const Words words = {"--mode", "msg", "--transfers", fine_file(dir.file("many.csv"), 20'000),
                         "--dir",  banks};
    {
      Process process(demo(words));
      REQUIRE(process.wait_for_output("25 %"));
      process.kill(SIGKILL);
      CHECK(process.wait().signal == SIGKILL);
    }
    // Another file: nobody gives the word for those that were under way, so back-checks decide.
    figures(
        {"--mode", "msg", "--transfers", fine_file(dir.file("few.csv"), 10, "U"), "--dir", banks});
    const auto after = figures(words);
    for (const auto& reason : after["reasons"].items()) CHECK(reason.key() == "never debited");
  }

  TEST_CASE("people are told what was done, what came of it and how to look further") {
    const TempDir dir;
    const auto finished = run(demo({"--dir", dir.path(), "--kill-at", "40"}));
    CAPTURE(finished.out);
    CAPTURE(finished.err);
    CHECK(finished.exit_code == 0);
    for (const char* part :
         {"killed with SIGKILL at 40 %", "succeeded", "rolled back", "insufficient funds",
          "account closed", "no such account", "stuck", "before", "after", "equal: none was made",
          "every transfer moved its money in both banks or in neither", "a second", "p50", "p99",
          "list --db ", "belay.db --status failed"}) {
      CAPTURE(part);
      CHECK(contains(finished.out, part));
    }
    CHECK(contains(finished.err, "with SIGKILL, starting another on its files"));
    CHECK(contains(finished.err, "100 %: 24,000 of 24,000 transfers"));
    CHECK_FALSE(contains(finished.out, "\x1b"));
    CHECK_FALSE(contains(finished.err, "\x1b"));
  }

  TEST_CASE("bad rows are reported with their lines and the rest is done") {
    const TempDir dir;
    std::string text = "\xEF\xBB\xBFid,from_bank,from_account,to_bank,to_account,amount,memo\r\n";
    text += "T1,a,1,b,2,1.00,fine\r\nT2,a,1,b\r\nT3,a,1,b,2,-4\r\n\r\n# x\r\nT4,x,1,b,2,1\r\n";
    for (int i = 0; i < 20; ++i) text += "junk\r\n";
    text += "T5,b,2,a,1,2.50,\"last, but not least\"";
    const auto file = write_file(dir.file("odd.csv"), text);
    const auto finished =
        run(demo({"--transfers", file, "--dir", dir.file("banks"), "--accounts", "1", "--json"}));
    const auto json = json_of(finished);
    CHECK(finished.exit_code == 0);
    CHECK(json["transfers"] == 2);
    CHECK(json["bad_rows"] == 23);
    CHECK(json["reasons"] == Json{{"no such account", 2}});
    CHECK(contains(finished.err, "odd.csv, line 3: 4 fields"));
    CHECK(contains(finished.err, "odd.csv, line 4: amount '-4' is negative"));
    CHECK(contains(finished.err, "odd.csv, line 7: from_bank 'x'"));
    CHECK(contains(finished.err, "and 13 more bad rows"));
  }

  TEST_CASE("without a directory a new one is kept and named") {
    const TempDir dir;
    const auto file = fine_file(dir.file("few.csv"), 20);
    auto spawn = demo({"--transfers", file, "--accounts", "10", "--json"});
    spawn.env = {{"TMPDIR", dir.path()}};
    const auto json = json_of(run(spawn));
    const std::string db = json["db"];
    CHECK(db.starts_with(dir.path() + "/belay-demo-"));
    CHECK(std::filesystem::exists(db));
  }

  TEST_CASE("the same file in the same directory runs nothing twice") {
    const TempDir dir;
    const Words words = {"--transfers", fine_file(dir.file("few.csv"), 300), "--dir",
                         dir.file("banks")};
    const auto first = figures(words);
    const auto again = figures(words);
    CHECK(totals(first) == totals(again));
    CHECK(first["repeated"] == 0);
    CHECK(again["repeated"] == 300);
  }

  TEST_CASE("a second file adds to the first, and another row with a known name is not taken") {
    const TempDir dir;
    const auto banks = dir.file("banks");
    figures({"--transfers", fine_file(dir.file("1.csv"), 50), "--dir", banks});
    figures({"--transfers", fine_file(dir.file("2.csv"), 50, "U"), "--dir", banks});
    const auto other = write_file(dir.file("3.csv"), "T0,a,1,b,1,0.02\nV1,a,1,b,1,1\n");
    const auto finished = run(demo({"--transfers", other, "--dir", banks, "--json"}));
    CHECK(finished.exit_code == 1);
    const auto json = json_of(finished);
    CHECK(json["not_taken"] == 1);
    CHECK(json["succeeded"] == 1);
    CHECK(json["problems"].empty());
    CHECK(contains(finished.err, "use a new --dir"));
  }

  TEST_CASE("with a bank out of order transfers are stuck, and once it is back they go on") {
    const TempDir dir;
    const auto file = fine_file(dir.file("few.csv"), 40);
    for (const std::string mode : {"saga", "msg"}) {
      CAPTURE(mode);
      const auto banks = dir.file(mode);
      // Half of the messages are paid by the bank that is down: they wait for its debit.
      const int under_way = mode == "msg" ? 20 : 40;
      const Words words = {"--mode", mode, "--transfers", file, "--dir", banks, "--patience", "2"};
      figures(
          {"--mode", mode, "--transfers", fine_file(dir.file("one.csv"), 2, "U"), "--dir", banks});
      change_bank(banks + "/bank-b.db",
                  "CREATE TRIGGER down BEFORE INSERT ON postings BEGIN SELECT "
                  "RAISE(ABORT, 'out of order'); END");
      auto as_json = words;
      as_json.push_back("--json");
      const auto finished = run(demo(as_json));
      CHECK(finished.exit_code == 1);
      const auto json = json_of(finished);
      CHECK(json["unfinished"] == 40);
      CHECK(json["stuck"] == under_way);
      CHECK(json["after_cents"] < json["before_cents"]);  // on its way
      CHECK(contains(finished.err, "belay stuck --db"));

      change_bank(banks + "/bank-b.db", "DROP TRIGGER down");
      const auto after = figures(words);
      CHECK(after["succeeded"] == 40);
    }
  }

  // The audit's control: the demo must say so when the books are wrong.
  TEST_CASE("a cent that appears in a bank's book is found") {
    const TempDir dir;
    const auto banks = dir.file("banks");
    const auto few = fine_file(dir.file("few.csv"), 20);
    const struct {
      const char* mode;
      const char* fault;
    } faults[] = {
        {"saga", "UPDATE accounts SET balance_cents = balance_cents + 1 WHERE account = 9"},
        {"tcc", "UPDATE postings SET cents = cents - 1 WHERE gid = 'transfer-T4'"},
        {"msg", "DELETE FROM postings WHERE gid = 'transfer-T6'"},
        {"saga", "DELETE FROM barrier WHERE gid = 'transfer-T8'"},
        {"tcc", "INSERT INTO holds VALUES ('transfer-T4', '01', 'debit', 1, 1)"},
        {"msg", "UPDATE postings SET account = 9 WHERE gid = 'transfer-T4'"},
    };
    for (const auto& one : faults) {
      CAPTURE(one.fault);
      const Words words = {"--mode", one.mode, "--transfers", few, "--dir", banks, "--json"};
      CHECK(run(demo(words)).exit_code == 0);
      change_bank(banks + "/bank-a.db", one.fault);
      const auto finished = run(demo(words));
      CHECK(finished.exit_code == 1);
      CHECK(json_of(finished)["fine"] == false);
      CHECK(contains(finished.err, "books are not in order"));
      std::filesystem::remove_all(banks);
    }
  }

  TEST_CASE("a demo that is killed as a whole goes on when it is started again") {
    const TempDir dir;
    const Words words = {"--transfers", fine_file(dir.file("many.csv"), 20'000), "--dir",
                         dir.file("banks")};
    {
      Process process(demo(words));
      REQUIRE(process.wait_for_output("25 %"));
      process.kill(SIGKILL);
      CHECK(process.wait().signal == SIGKILL);
    }
    const auto after = figures(words);
    CHECK(after["succeeded"] == 20'000);
    CHECK(after["repeated"] > 0);
  }

  TEST_CASE("what cannot be done is one line that says what to do") {
    const TempDir dir;
    const auto banks = dir.file("banks");
    const auto few = fine_file(dir.file("few.csv"), 5);
    figures({"--transfers", few, "--dir", banks, "--accounts", "10"});
    const auto empty = write_file(dir.file("empty.csv"), "# nothing\n");
    const auto plain = write_file(dir.file("plain"), "a file");
    const struct {
      Words words;
      int exit_code;
      const char* says;
    } cases[] = {
        {{"--transfers", dir.file("none.csv")}, 3, "none.csv"},
        {{"--transfers", dir.path()}, 1, "directory"},
        {{"--transfers", empty}, 1, "has no transfer in it"},
        {{"--transfers", few, "--dir", banks, "--accounts", "11"}, 2, "10 accounts already"},
        {{"--transfers", few, "--dir", plain + "/below"}, 1, "cannot make the directory"},
        {{"--kill-at", "0"}, 2, "kill-at"},
        {{"--kill-at", "100"}, 2, "kill-at"},
        {{"--in-flight", "0"}, 2, "in-flight"},
        {{"--accounts", "many"}, 2, "accounts"},
        {{"--mode", "swift"}, 2, "'swift' is not saga, tcc"},
        {{"--first", "0"}, 2, "first"},
        {{"--http", "--mode", "xa"}, 2, "--http does not go with --mode xa"},
    };
    for (const auto& one : cases) {  // not taken apart: clang 14 captures no structured binding
      CAPTURE(one.says);
      const auto finished = run(demo(one.words));
      CAPTURE(finished.err);
      CHECK(finished.exit_code == one.exit_code);
      CHECK(contains(finished.err, one.says));
      CHECK(finished.out == "");
      CHECK(std::count(finished.err.begin(), finished.err.end(), '\n') == 1);
    }
  }

  TEST_CASE("one in flight and thousands end alike") {
    const TempDir dir;
    const auto file = fine_file(dir.file("few.csv"), 400);
    for (const char* in_flight : {"1", "10000"}) {
      const auto json =
          figures({"--transfers", file, "--dir", dir.file(in_flight), "--in-flight", in_flight});
      CHECK(json["succeeded"] == 400);
    }
  }
}
