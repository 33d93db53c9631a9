// Goal: an operator sees of a thousand stuck transactions the few causes, and of one transaction in
// words what it waits for and what helps.
#include <belay/driven.h>
#include <belay/reader.h>
#include <doctest/doctest.h>

#include <memory>

#include "state_file.h"

namespace {

using namespace belay;
using namespace belay::test;
using namespace std::chrono_literals;

Outcome yes(const Call&, void*) { return Outcome::success(); }
Outcome no(const Call&, void*) { return Outcome::failure("account closed"); }
Outcome later(const Call&, void*) { return Outcome::ongoing("still printing"); }
// An error with an id of its own each time.
Outcome lost(const Call& call, void*) {
  return Outcome::unknown("HTTP 503: order " + std::string(call.gid) + " of 20261130 is locked");
}

// Three attempts within a fraction of a second, then fewer and fewer.
Retry rare() {
  Retry retry;
  retry.first_interval = 1ms;
  retry.multiplier = 100.0;
  retry.jitter = 0.0;
  return retry;
}

// Stuck transactions: 12 wait for one bank, 3 for one host and 2 for another at ports where nobody
// listens, one for a compensate that is refused, one twice for the same missing handler.
class StuckFile {
 public:
  static constexpr int kLost = 12;

  StuckFile() {
    Options options;
    options.stuck_after = 2;
    auto opened = Engine::open(path(), options);
    if (!opened) return;
    engine_ = std::make_unique<Engine>(std::move(*opened));
    ready_ = fill();
  }

  bool ready() const { return ready_; }
  std::string path() const { return dir_.file("stuck.db"); }
  Engine& engine() { return *engine_; }
  void close() { engine_.reset(); }

 private:
  bool fill() {
    auto& engine = *engine_;
    if (!engine.handle("yes", yes) || !engine.handle("no", no) || !engine.handle("later", later) ||
        !engine.handle("bank.credit", lost) || !engine.start())
      return false;
    for (int i = 0; i < kLost; ++i) {
      const auto gid = "lost-" + std::to_string(70'000 + i);
      if (!engine.submit(Saga(gid).step("yes", "").step("bank.credit", "").retry(rare())))
        return false;
    }
    const char* targets[] = {"http://LocalHost:1/reserve?id=1", "http://localhost:1/release",
                             "http://user:word@localhost:1/reserve", "https://127.0.0.1:1/a",
                             "jsonrpc+https://127.0.0.1:1/b?method=c"};
    for (int i = 0; const auto* target : targets) {
      if (!engine.submit(Saga("url-" + std::to_string(++i)).step(target, "").retry(rare())))
        return false;
    }
    if (!engine.submit(Saga("refused").step("yes", "no").step("no", "yes").retry(rare())))
      return false;
    if (!engine.submit(Saga("two").step("nobody.here", "").step("nobody.here", "").concurrent()))
      return false;
    if (!engine.submit(Saga("printing").step("later", "").retry(rare()))) return false;
    if (!engine.submit(Saga("tomorrow").step("yes", "").delay(24h))) return false;
    if (!engine.prepare(Tcc("mine").branch("yes", "yes", "yes").timeout_to_fail(1h))) return false;
    if (!engine.run(Saga("done").step("yes", ""))) return false;
    if (!engine.run(Saga("failed").step("yes", "yes").step("no", ""))) return false;
    for (const char* gid : {"lost-70000", "lost-70011", "url-1", "url-2", "url-3", "url-4", "url-5",
                            "refused", "two"}) {
      if (!becomes_stuck(gid)) return false;
    }
    return rests("lost-70003") && rests("refused");
  }

  // After the third attempt the next one is seconds away.
  bool rests(const std::string& gid) {
    for (int looks = 0; looks < 4'000; ++looks) {
      auto reader = Reader::open(path());
      const auto row = reader ? reader->find(gid) : Result<TransactionRow>(reader.error());
      if (row && row->attempts >= (gid == "refused" ? 6 : 4)) return true;
      static_cast<void>(engine_->wait(gid, 5ms).has_value());
    }
    return false;
  }

  // The wait that times out is the pause between two looks.
  bool becomes_stuck(const std::string& gid) {
    for (int looks = 0; looks < 4'000; ++looks) {
      const auto report = engine_->find(gid);
      if (report && report->stuck()) return true;
      static_cast<void>(engine_->wait(gid, 5ms).has_value());
    }
    return false;
  }

  TempDir dir_;
  std::unique_ptr<Engine> engine_;
  bool ready_ = false;
};

std::vector<Json> groups_of(const std::vector<std::string>& more, const std::string& db) {
  std::vector<std::string> words = {"stuck", "--json"};
  words.insert(words.end(), more.begin(), more.end());
  const auto result = belay_run(words, db);
  CHECK(result.exit_code == 0);
  CHECK(result.err == "");
  return json_lines(result.out);
}

Json why_json(const std::string& gid, const std::string& db) {
  const auto result = belay_run({"why", gid, "--json"}, db);
  CHECK(result.exit_code == 0);
  const auto rows = json_lines(result.out);
  REQUIRE(rows.size() == 1);
  return rows.front();
}

bool has_help(const Json& object, std::string_view part) {
  for (const std::string help : object.at("helps"))
    if (contains(help, part)) return true;
  return false;
}

}  // namespace

TEST_SUITE("process/cli") {
  TEST_CASE("stuck --by shows one row for all that wait for the same") {
    StuckFile file;
    REQUIRE(file.ready());
    const auto by_error = groups_of({"--by", "error"}, file.path());
    REQUIRE(by_error.size() == 6);
    CHECK(by_error[0].at("transactions") == StuckFile::kLost);
    CHECK(by_error[0].at("key") == "HTTP 503: order lost-… of … is locked");
    CHECK(by_error[0].at("gid") == "lost-70011");  // the newest
    CHECK(by_error[0].at("target") == "bank.credit");
    CHECK(by_error[0].at("attempts") >= 2);
    CHECK(by_error[0].at("next_due_at").is_number());
    CHECK(by_error[0].at("oldest_created_at") <= by_error[0].at("next_due_at"));
    CHECK(by_error[0].at("last_error") == "HTTP 503: order lost-70011 of 20261130 is locked");

    const auto by_host = groups_of({"--by", "host"}, file.path());
    REQUIRE(by_host.size() == 3);
    CHECK(by_host[0].at("key").is_null());
    CHECK(by_host[0].at("transactions") == StuckFile::kLost + 2);
    CHECK(by_host[1].at("key") == "http://localhost:1");
    CHECK(by_host[1].at("transactions") == 3);
    CHECK(by_host[2].at("key") == "https://127.0.0.1:1");
    CHECK(by_host[2].at("transactions") == 2);

    const auto by_handler = groups_of({"--by", "handler"}, file.path());
    REQUIRE(by_handler.size() == 8);
    CHECK(by_handler[0].at("key") == "bank.credit");
    for (const auto& group : by_handler) {
      if (group.at("key") == "nobody.here") CHECK(group.at("transactions") == 1);
    }

    const auto table = belay_run({"stuck", "--by", "host"}, file.path()).out;
    CHECK(contains(table, "none: handlers of the program"));
    CHECK(contains(table, "19 stuck in 3 groups"));
    CHECK(!contains(belay_run({"stuck", "--by", "handler"}, file.path()).out, "word@"));
    const auto largest = belay_run({"stuck", "--by", "error", "--limit", "1"}, file.path()).out;
    CHECK(contains(largest, "bank.credit"));
    CHECK(contains(largest, "19 stuck in 6 groups; the largest 1 shown"));
    CHECK(groups_of({"--by", "error", "--limit", "2"}, file.path()).size() == 2);
  }

  TEST_CASE("stuck shows what the filters choose, and only the branches that wait for it") {
    StuckFile file;
    REQUIRE(file.ready());
    const auto rows = [&file](std::vector<std::string> words) {
      return groups_of(words, file.path()).size();
    };
    CHECK(rows({}) == StuckFile::kLost + 8);  // a row a branch
    CHECK(rows({"--handler", "bank.credit"}) == StuckFile::kLost);
    CHECK(rows({"--handler", "yes"}) == 0);  // named, but nothing waits for it
    CHECK(rows({"--host", "http://localhost:1"}) == 3);
    CHECK(rows({"--host", "http://nobody.example"}) == 0);
    CHECK(rows({"--status", "aborting"}) == 1);
    CHECK(rows({"--mode", "tcc"}) == 0);
    CHECK(rows({"--gid-prefix", "lost-7000"}) == 10);
    CHECK(rows({"--older-than", "1h"}) == 0);
    CHECK(rows({"--newer-than", "1h", "--by", "host", "--host", "http://localhost:1"}) == 1);
    CHECK(belay_run({"stuck", "--older-than", "1h"}, file.path()).out == "nothing stuck matches\n");
    const auto two = belay_run({"stuck", "--handler", "bank.credit", "--limit", "2"}, file.path());
    CHECK(contains(two.out, "2 shown, of more"));
    CHECK(belay_run({"stuck", "--by", "nonsense"}, file.path()).exit_code == 2);
    CHECK(belay_run({"stuck", "--by", "target", "--json"}, file.path()).out ==
          belay_run({"stuck", "--by", "handler", "--json"}, file.path()).out);
  }

  TEST_CASE("why says in words what a transaction waits for, and what helps") {
    StuckFile file;
    REQUIRE(file.ready());
    const auto lost = why_json("lost-70003", file.path());
    CHECK(lost.at("summary") == "It goes forward: 1 of 2 branches are done.");
    REQUIRE(lost.at("waits").size() == 1);
    const auto& wait = lost.at("waits")[0];
    CHECK(wait.at("branch_id") == "02");
    CHECK(wait.at("target") == "bank.credit");
    CHECK(wait.at("attempts") >= 2);
    CHECK(wait.at("since").is_number());
    REQUIRE(!wait.at("answers").empty());
    CHECK(wait.at("answers")[0].at("outcome") == "unknown");
    CHECK(contains(wait.at("meaning"), "may have run or not"));
    CHECK(contains(std::string(lost.at("engine")), "pid "));
    CHECK(has_help(lost, "see why bank.credit answers so"));
    CHECK(has_help(lost, "`belay replay lost-70003`, instead of in "));
    CHECK(has_help(lost, "belay stop"));

    const auto unreached = why_json("url-4", file.path());
    CHECK(unreached.at("waits")[0].at("host") == "https://127.0.0.1:1");
    CHECK(has_help(unreached, "bring https://127.0.0.1:1 back"));
    const auto refused = why_json("refused", file.path());
    CHECK(contains(refused.at("summary"), "It turned back"));
    CHECK(contains(refused.at("summary"), "account closed"));
    CHECK(contains(refused.at("waits")[0].at("meaning"), "A compensation cannot be left out"));
    CHECK(has_help(refused, "repair no or its data"));
    CHECK(contains(why_json("printing", file.path()).at("waits")[0].at("meaning"),
                   "still working on it"));
    CHECK(contains(why_json("tomorrow", file.path()).at("summary"), "It goes on in "));
    CHECK(contains(why_json("mine", file.path()).at("summary"),
                   "Without that word it turns back in"));
    CHECK(contains(why_json("done", file.path()).at("summary"), "It succeeded"));
    CHECK(contains(why_json("failed", file.path()).at("summary"),
                   "account closed. What may have run and has a compensation was"));
    CHECK(why_json("done", file.path()).at("helps").empty());
    CHECK(belay_run({"why", "nobody"}, file.path()).exit_code == 3);

    const auto text = belay_run({"why", "refused"}, file.path()).out;
    CHECK(contains(text, "refused  saga aborting, stuck"));
    CHECK(contains(text, "It waits for branch 01, compensate no, for "));
    CHECK(contains(text, "times in a row, the last "));
    CHECK(contains(text, "next attempt  in "));
    CHECK(contains(text, "What helps:\n  - repair no or its data"));
    const auto hidden = belay_run({"why", "url-3"}, file.path()).out;
    CHECK(contains(hidden, "***@localhost"));
    CHECK(!contains(hidden, "word@"));
  }

  TEST_CASE("why says that no engine runs, and what a stop leaves") {
    StuckFile file;
    REQUIRE(file.ready());
    REQUIRE(file.engine().force_stop("refused", "done by hand"));
    CHECK(contains(why_json("refused", file.path()).at("summary"), "What has run stays as it is."));
    file.close();
    const auto lost = why_json("lost-70003", file.path());
    CHECK(lost.at("engine").is_null());
    CHECK(contains(lost.at("helps")[0], "no engine has it open"));
    CHECK(contains(belay_run({"why", "lost-70003"}, file.path()).out, "none has the file open"));
  }
}
