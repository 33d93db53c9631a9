// kill -9 of a process in the midst of XA transactions across both databases, of the databases, and
// of both. Afterwards nothing is left prepared, and the databases and the state file agree.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "belay/reader.h"
#include "servers/xa_database.h"
#include "servers/xa_kill_steps.h"
#include "support/process.h"
#include "support/random.h"

namespace belay::test {
namespace {

constexpr int kProcessKills = 12;  // at random moments
constexpr int kServerKills = 4;    // the process lives on
constexpr int kDoubleKills = 4;
constexpr std::uint64_t kTakenMax = 60;     // before a kill
constexpr std::uint64_t kPauseMax = 5'000;  // microseconds after that
constexpr std::uint64_t kTakenAfter = 60;   // after a server is back

constexpr const char* kStatements[] = {
    "PREPARE TRANSACTION", "COMMIT PREPARED", "ROLLBACK PREPARED", "XA END",
    "XA PREPARE",          "XA COMMIT",       "XA ROLLBACK",
};

using Ids = std::set<std::string>;

Ids split(const std::string& list) {
  Ids ids;
  std::istringstream words(list);
  for (std::string word; std::getline(words, word, ',');) ids.insert(word);
  return ids;
}

class Story {
 public:
  Story() : postgresql_(xa_server(XaKind::postgresql)), mariadb_(xa_server(XaKind::mariadb)) {
    const char* driver = std::getenv("BELAY_XA_KILL_DRIVER");
    REQUIRE(driver != nullptr);
    argv_ = {driver, state_file(), postgresql_.conninfo(), mariadb_.conninfo()};
  }

  std::string state_file() const { return dir_.file("state.db"); }
  XaServer& one_of_both() { return random_.percent(50) ? postgresql_ : mariadb_; }
  std::size_t prepared() const { return postgresql_.prepared() + mariadb_.prepared(); }
  std::size_t left_prepared() const { return left_prepared_; }
  const std::map<std::string, Ids>& told() const { return told_; }

  // The load that process `round_` makes, and how it dies.
  void process_killed() {
    Process process(spawn());
    wait_for_load(process, random_.below(kTakenMax));
    end(process);
  }
  void process_dies_at(const KillStep& step) {
    CAPTURE(step.statement);
    CAPTURE(step.when);
    const auto died = run(spawn({step.statement, step.when}));
    CHECK(died.signal == SIGKILL);
    CHECK(!died.timed_out);
    remember(died);
  }
  void server_killed(XaServer& server) {
    Process process(spawn());
    const auto taken = random_.below(kTakenMax);
    wait_for_load(process, taken);
    server.kill9();
    server.restart();
    wait_for_load(process, taken + kTakenAfter);
    end(process);
  }
  void both_killed(XaServer& server) {
    Process process(spawn());
    wait_for_load(process, random_.below(kTakenMax));
    const bool server_first = random_.percent(50);
    if (server_first) server.kill9();
    process.kill(SIGKILL);
    if (!server_first) server.kill9();
    server.restart();
    end(process);
  }
  // Until all is final.
  void drain() {
    const auto drained = run({.argv = argv_, .limit = std::chrono::seconds(60)});
    CAPTURE(drained.out);
    REQUIRE(drained.exit_code == 0);
  }

  Ids in_postgresql() const {
    return split(
        postgresql_.ask("SELECT string_agg(id, ',') FROM shop.ledger WHERE id LIKE 'kill-%'"));
  }
  Ids in_mariadb() const {
    return split(mariadb_.ask("SELECT GROUP_CONCAT(id) FROM shop.ledger WHERE id LIKE 'kill-%'"));
  }

 private:
  Spawn spawn(const std::vector<std::string>& more = {}) {
    auto argv = argv_;
    argv.push_back(fmt::format("kill-{}-", round_++));
    argv.insert(argv.end(), more.begin(), more.end());
    return {.argv = std::move(argv)};
  }
  void wait_for_load(Process& process, std::uint64_t taken) {
    REQUIRE(process.wait_for_output(fmt::format("taken {} ", taken + 1)));
    const auto until =
        std::chrono::steady_clock::now() + std::chrono::microseconds(random_.below(kPauseMax));
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }
  void end(Process& process) {
    process.kill(SIGKILL);
    remember(process.wait());
  }
  void remember(const Finished& finished) {
    CHECK(finished.out.find("broken") == std::string::npos);
    left_prepared_ += prepared();
    std::istringstream lines(finished.out);
    for (std::string line; std::getline(lines, line);) {
      if (lines.eof()) break;  // cut off by the kill
      told_[line.substr(0, line.find(' '))].insert(line.substr(line.rfind(' ') + 1));
    }
  }

  XaServer& postgresql_;
  XaServer& mariadb_;
  TempDir dir_;
  std::vector<std::string> argv_;
  Random random_{20'260};
  std::map<std::string, Ids> told_;
  std::size_t left_prepared_ = 0;
  int round_ = 0;
};

// By gid, all of them.
std::map<std::string, Status> statuses(const std::string& state_file) {
  auto reader = Reader::open(state_file);
  REQUIRE(reader.has_value());
  const auto checked = reader->check();
  REQUIRE(checked.has_value());
  for (const auto& problem : checked->problems) CHECK_MESSAGE(false, problem);
  std::map<std::string, Status> found;
  Filter filter;
  filter.limit = 10'000;
  do {
    const auto page = reader->list(filter);
    REQUIRE(page.has_value());
    for (const auto& row : page->rows) found[row.gid] = row.status;
    filter.before_id = page->next_before_id;
  } while (filter.before_id != 0);
  return found;
}

Ids missing(const Ids& wanted, const Ids& among) {
  Ids found;
  for (const auto& id : wanted) {
    if (!among.contains(id)) found.insert(id);
  }
  return found;
}

Ids with_status(const std::map<std::string, Status>& all, Status status) {
  Ids found;
  for (const auto& [gid, at] : all) {
    if (at == status) found.insert(gid);
  }
  return found;
}

void check_agreed(const Story& story) {
  CHECK(story.prepared() == 0);
  const auto all = statuses(story.state_file());
  const auto succeeded = with_status(all, Status::succeed);
  const auto failed = with_status(all, Status::failed);
  CHECK(succeeded.size() + failed.size() == all.size());
  CHECK(story.in_postgresql() == succeeded);
  CHECK(story.in_mariadb() == succeeded);
  Ids known = succeeded;
  known.insert(failed.begin(), failed.end());
  CHECK(missing(story.told().at("taken"), known).empty());
  CHECK(missing(story.told().at("committed"), succeeded).empty());
  CHECK(missing(story.told().at("aborted"), failed).empty());
  CHECK(!succeeded.empty());
  CHECK(!failed.empty());
}

}  // namespace

TEST_CASE("kills of the process and of the databases leave all agreed and nothing prepared") {
  Story story;
  for (int i = 0; i < kProcessKills; ++i) story.process_killed();
  for (const auto* statement : kStatements) {
    for (const auto* when : {"before", "sent", "after"}) {
      story.process_dies_at({.statement = statement, .when = when});
    }
  }
  for (int i = 0; i < kServerKills; ++i)
    story.server_killed(xa_server(i % 2 == 0 ? XaKind::postgresql : XaKind::mariadb));
  for (int i = 0; i < kDoubleKills; ++i) story.both_killed(story.one_of_both());
  CHECK(story.left_prepared() > 0);  // else the kills proved nothing
  story.drain();
  check_agreed(story);
}

}  // namespace belay::test
