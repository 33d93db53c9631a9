// Goal: whatever the moment at which the kernel ends the process, nothing that was acknowledged is
// lost, and no money. Method: an engine under a load of all modes is killed fifty times; what it
// told before each kill is held against what is there at the end, in its own file and in the banks'
// books. The seed is printed; BELAY_KILL_SEED sets it.
#include <doctest/doctest.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <sstream>

#include "belay/reader.h"
#include "demo/audit.h"
#include "kill_plan.h"
#include "support/process.h"

namespace {

using namespace belay;
using namespace belay::test;
using std::chrono::milliseconds;

constexpr unsigned kKills = 50;
constexpr unsigned kRunMillisMax = 300;
constexpr milliseconds kBusyMax{10'000};
constexpr unsigned kEndsMin = 5;

std::string program(const char* variable) {
  const char* path = std::getenv(variable);
  REQUIRE_MESSAGE(path != nullptr, variable << " names the program to test");
  return path;
}

std::uint64_t chosen_seed() {
  const char* text = std::getenv("BELAY_KILL_SEED");
  return text == nullptr ? 20260301 : std::strtoull(text, nullptr, 10);
}

struct Scene {
  std::uint64_t seed = chosen_seed();
  Random random{seed};
  TempDir dir;
  std::map<std::string, std::string> promised;  // gid → its final status, empty if only taken
  unsigned openings = 0;
  unsigned words_given = 0;  // submits and aborts that were accepted
  unsigned changed = 0;      // final statuses that were told twice, and not the same

  std::string engine_file() const { return dir.file("engine.db"); }

  Spawn driver(unsigned run, const char* mode) const {
    return {.argv = {program("BELAY_KILL_DRIVER"), dir.path(), std::to_string(seed),
                     std::to_string(run), mode},
            .limit = milliseconds(60'000)};
  }
  void note(const Finished& finished) {
    CAPTURE(finished.err);
    std::istringstream lines(finished.out);
    std::string word, gid, status;
    for (std::string line; std::getline(lines, line) && !lines.eof();) {  // the last may be torn
      std::istringstream words(line);
      words >> word;
      if (word == "open") ++openings;
      CHECK_MESSAGE(word != "broken", line);
      if (word == "taken" && words >> gid) promised.try_emplace(gid);
      if ((word == "final" || word == "word") && words >> gid >> status) {
        words_given += word == "word" ? 1 : 0;
        auto& known = promised[gid];
        changed += !known.empty() && known != status ? 1 : 0;
        known = status;
      }
    }
  }
  void kill_one(unsigned run, const char* mode) {
    Process process(driver(run, mode));
    // Any moment counts, that of opening too; but where the disk is slow there would be no other.
    const auto moment = milliseconds(random.below(kRunMillisMax));
    if (!random.percent(20)) process.wait_for_output("\nbusy\n", kBusyMax);
    process.wait_for_output("never said", moment);
    process.kill(SIGKILL);
    const auto finished = process.wait();
    CHECK(finished.signal == SIGKILL);
    note(finished);
  }
};

// How many promised transactions the file does not know, or knows otherwise.
struct Found {
  std::size_t lost = 0, unfinished = 0, changed = 0;
  std::map<std::string, Status> statuses;
};

Found find_promised(const Scene& scene) {
  Found found;
  auto reader = Reader::open(scene.engine_file());
  REQUIRE(reader);
  Filter filter;
  filter.limit = 10'000;
  do {
    const auto page = reader->list(filter);
    REQUIRE(page);
    for (const auto& row : page->rows) found.statuses.emplace(row.gid, row.status);
    filter.before_id = page->next_before_id;
  } while (filter.before_id != 0);
  for (const auto& [gid, status] : scene.promised) {
    const auto row = found.statuses.find(gid);
    if (row == found.statuses.end()) {
      ++found.lost;
      continue;
    }
    found.unfinished += is_final(row->second) ? 0 : 1;
    found.changed += !status.empty() && name_of(row->second) != status ? 1 : 0;
  }
  return found;
}

// What each leg moved, from the banks' own books: gid and branch → cents.
using Moves = std::map<std::pair<std::string, std::string>, std::int64_t>;

Moves read_moves(const Scene& scene) {
  Moves moves;
  for (const auto bank : kKillBanks) {
    const auto path = scene.dir.file(std::string(bank) + ".db");
    demo::Audit audit;
    REQUIRE(demo::audit_bank(path, audit));
    for (const auto& problem : audit.problems) MESSAGE(problem);
    CHECK(audit.clean());
    auto database = demo::Sqlite::open(path, demo::Sqlite::Access::read);
    REQUIRE(database);
    const auto postings = database->ask("SELECT gid, branch_id, cents FROM postings");
    REQUIRE(postings);
    for (const auto& row : *postings) moves[{row[0], row[1]}] += std::stoll(row[2]);
  }
  return moves;
}

// How many transactions did more or less than all of their legs, or nothing. A message's own debit
// is one of its legs.
std::size_t count_halves(const Found& found, const Moves& moves, std::uint64_t seed) {
  std::size_t halves = 0;
  std::size_t legs_seen = 0;
  for (const auto& [gid, status] : found.statuses) {
    const auto plan = kill_plan(gid, seed);
    for (std::size_t i = 0; i < plan.legs.size(); ++i) {
      const auto& leg = plan.legs[i];
      const auto due = leg.side == demo::Side::debit ? -leg.cents : leg.cents;
      const auto moved = moves.find({gid, kill_branch_id(plan.mode, i)});
      legs_seen += moved == moves.end() ? 0 : 1;
      const auto cents = moved == moves.end() ? 0 : moved->second;
      if (cents == (status == Status::succeed ? due : 0)) continue;
      ++halves;
      MESSAGE(gid << " is a " << name_of(plan.mode) << " that is " << name_of(status)
                  << " and moved " << cents << " in leg " << i + 1);
      break;
    }
  }
  CHECK(legs_seen == moves.size());  // no bank did anything for a transaction that is unknown
  return halves;
}

struct Books {
  std::int64_t opening_cents = 0, cents = 0, holds = 0;
};

Books sum_books(const Scene& scene) {
  Books books;
  for (const auto bank : kKillBanks) {
    auto database =
        demo::Sqlite::open(scene.dir.file(std::string(bank) + ".db"), demo::Sqlite::Access::read);
    REQUIRE(database);
    const auto add = [&database](std::int64_t& sum, const char* sql) {
      const auto number = database->number(sql);
      REQUIRE(number);
      sum += *number;
    };
    add(books.opening_cents, "SELECT sum(opening_cents) FROM accounts");
    add(books.cents, "SELECT sum(balance_cents) FROM accounts");
    add(books.holds, "SELECT count(*) FROM holds");
  }
  return books;
}

// How many succeeded though their caller never said that they should: a driven transaction whose
// caller aborts or says nothing, a message whose caller never debits.
std::size_t count_unasked(const Found& found, std::uint64_t seed) {
  std::size_t unasked = 0;
  for (const auto& [gid, status] : found.statuses) {
    const auto plan = kill_plan(gid, seed);
    const bool none = plan.word == KillWord::none;
    const bool never =
        plan.word == KillWord::abort || (none && (plan.mode == KillMode::driven || plan.early));
    const bool has_word = plan.mode == KillMode::driven || plan.mode == KillMode::msg;
    if (!has_word || !never || status != Status::succeed) continue;
    ++unasked;
    MESSAGE(gid << " is a " << name_of(plan.mode) << " that succeeded by itself");
  }
  return unasked;
}

// Each mode has to have had both ends, or the load was not the mix it should be.
void check_mix(const Found& found, std::uint64_t seed) {
  std::map<std::pair<KillMode, Status>, unsigned> counts;
  for (const auto& [gid, status] : found.statuses) ++counts[{kill_plan(gid, seed).mode, status}];
  for (const auto mode : {KillMode::saga, KillMode::tcc, KillMode::driven, KillMode::msg}) {
    for (const auto status : {Status::succeed, Status::failed}) {
      const auto count = counts[{mode, status}];
      MESSAGE(count << " of mode " << name_of(mode) << " are " << name_of(status));
      CHECK(count > kEndsMin);
    }
  }
}

void check_books(const Scene& scene, const Found& found) {
  CHECK(count_halves(found, read_moves(scene), scene.seed) == 0);
  const auto books = sum_books(scene);
  CHECK(books.opening_cents == books.cents);
  CHECK(books.holds == 0);
}

}  // namespace

TEST_SUITE("process/kill") {
  TEST_CASE("fifty kills under load lose nothing that was acknowledged, and no money") {
    Scene scene;
    MESSAGE("BELAY_KILL_SEED=" << scene.seed);
    for (unsigned run = 0; run < kKills; ++run) {
      CAPTURE(run);
      scene.kill_one(run, "load");
    }
    CHECK(scene.openings > kKills / 2);
    CHECK(scene.promised.size() > 1'000);  // or there was no load
    CHECK(scene.words_given > 100);

    const auto drained = run(scene.driver(kKills, "drain"));
    CAPTURE(drained.out);
    CAPTURE(drained.err);
    REQUIRE(drained.exit_code == 0);

    const auto found = find_promised(scene);
    MESSAGE(scene.promised.size() << " promises, " << found.statuses.size() << " transactions, "
                                  << scene.words_given << " words, " << scene.openings
                                  << " openings");
    CHECK(found.lost == 0);
    CHECK(found.unfinished == 0);
    CHECK(found.changed == 0);
    CHECK(scene.changed == 0);
    CHECK(count_unasked(found, scene.seed) == 0);
    check_mix(found, scene.seed);
    check_books(scene, found);

    const auto check =
        run(Spawn{.argv = {program("BELAY_PROGRAM"), "check", "--db", scene.engine_file()}});
    CAPTURE(check.out);
    CAPTURE(check.err);
    CHECK(check.exit_code == 0);
  }

  // The control: a driver that tells of a submit before the disk has it must be caught.
  TEST_CASE("an acknowledgement that came before the commit is found to be lost") {
    Scene scene;
    std::size_t lost = 0;
    for (unsigned run = 0; run < kKills && lost == 0; ++run) {
      scene.kill_one(run, "lie");
      if (scene.openings > 0) lost = find_promised(scene).lost;
    }
    CHECK(lost > 0);
  }
}
