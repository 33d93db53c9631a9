// The journal on a disk that fails on command: what was acknowledged is there, what was not is the
// batch in flight at most, whatever the disk does and whenever the power goes.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "feeder.h"
#include "store/journal.h"
#include "support/crash_vfs.h"
#include "support/sanitized.h"

namespace belay::test {
namespace {

constexpr unsigned kBatches = 12;
constexpr const char* kPath = "belay.db";

struct Setup {
  DiskOptions disk{};
  store::Synchronous synchronous = store::Synchronous::full;
  std::size_t wal_bytes = 60'000;  // a few commits
  bool posts = false;              // an application posts requests beside it
};

store::JournalConfig config_for(const CrashVfs& disk, const Setup& setup) {
  store::JournalConfig config;
  config.path = kPath;
  config.vfs = disk.name();
  config.synchronous = setup.synchronous;
  config.wal_bytes = setup.wal_bytes;
  return config;
}

// A connection of another program to the file.
class Application {
 public:
  explicit Application(const CrashVfs& disk) {
    sqlite3_open_v2(kPath, &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk.name().c_str());
  }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  ~Application() { sqlite3_close_v2(db_); }

  // True: it has happened, and is on disk. `take` is given the columns of each row.
  using Take = std::function<void(char** columns)>;
  bool run(const std::string& sql, const Take& take = nullptr) {
    const auto on_row = [](void* to, int, char** columns, char**) {
      if (const auto& give = *static_cast<const Take*>(to)) give(columns);
      return 0;
    };
    auto copy = take;
    return sqlite3_exec(db_, sql.c_str(), on_row, &copy, nullptr) == SQLITE_OK;
  }
  const char* error() const { return sqlite3_errmsg(db_); }
  // Asks that the transaction is stopped; the request's id, or 0.
  std::int64_t post(const std::string& gid) {
    const bool done =
        run("PRAGMA synchronous = FULL; INSERT INTO belay_requests(verb, gid, reason) "
            "VALUES('stop', '" +
            gid + "', 'test')");
    return done ? sqlite3_last_insert_rowid(db_) : 0;
  }

 private:
  sqlite3* db_ = nullptr;
};

// "ok", or what is wrong.
std::string integrity(const CrashVfs& disk) {
  Application application(disk);
  std::string answer = "no answer";
  const bool done =
      application.run("PRAGMA integrity_check", [&answer](char** columns) { answer = columns[0]; });
  return done ? answer : application.error();
}

// What the requests in the file were answered, by id; empty: not yet.
std::optional<std::map<std::int64_t, std::string>> requests_in(const CrashVfs& disk) {
  std::map<std::int64_t, std::string> all;
  Application application(disk);
  const bool done =
      application.run("SELECT id, ifnull(answer, '') FROM belay_requests",
                      [&all](char** columns) { all[std::stoll(columns[0])] = columns[1]; });
  return done ? std::optional(all) : std::nullopt;
}

// The file says what it should, save for what may have been forgotten.
bool agrees(const Contents& found, const Contents& expected, const Feeder& feeder) {
  for (const auto& [gid, state] : expected) {
    const auto there = found.find(gid);
    if (there == found.end() ? !feeder.is_optional(gid) : there->second != state) return false;
  }
  return found.size() <= expected.size();
}

// Empty if the file is sound and holds what it must.
std::string verdict(CrashVfs& disk, const Setup& setup, const Feeder& feeder,
                    const std::vector<std::int64_t>& posted = {}) {
  if (const auto answer = integrity(disk); answer != "ok") return "integrity_check: " + answer;
  auto journal = store::Journal::open(config_for(disk, setup));
  if (!journal) return "it cannot be opened: " + journal.error().detail;
  auto found = read_all(**journal, feeder.in_flight());
  const auto requests = requests_in(disk);
  if (!found || !requests) return "it cannot be read";
  for (const auto id : posted) {
    if (!requests->contains(id)) return "a request that was posted is not there";
  }
  for (const auto& [id, answer] : *requests) {
    if (!answer.empty()) (*found)["request " + std::to_string(id)] = answer;
  }
  if (agrees(*found, feeder.acked(), feeder) || agrees(*found, feeder.in_flight(), feeder))
    return {};
  return "it holds neither what was acknowledged nor that and the batch in flight";
}

class Session {
 public:
  Session(CrashVfs& disk, const Setup& setup, Feeder& feeder)
      : disk_(disk), setup_(setup), feeder_(feeder) {}

  // Opens, commits, moves the write-ahead log, collects, opens again; stops at the first error.
  bool run() {
    if (!open()) return false;
    for (unsigned i = 1; i <= kBatches; ++i) {
      if (setup_.posts && !post_and_take()) return false;
      if (!journal_->commit(feeder_.batch())) return false;
      feeder_.acknowledged();
      if (!journal_->checkpoint_wal()) return false;
      if (i % 5 == 0 && !journal_->collect(feeder_.expire())) return false;
      if (i == 7 && !(journal_->close() && open())) return false;
    }
    return true;
  }
  // The requests whose post was confirmed.
  const std::vector<std::int64_t>& posted() const { return posted_; }

  // The same, and an error is only a reason to try again, up to `patience` times at one place; by a
  // new process, if so asked.
  bool run_through_errors(unsigned patience, bool kills,
                          const std::function<void(unsigned)>& on_error) {
    const auto keep_trying = [&](const std::function<bool()>& act) {
      for (unsigned i = 1; i <= patience; ++i) {
        if ((journal_ || open()) && act()) return true;
        if (kills && i == 1) disk_.kill();
        if (kills && i == 1) journal_.reset();
        on_error(i);
      }
      return false;
    };
    if (!keep_trying([] { return true; })) return false;
    for (unsigned i = 1; i <= kBatches; ++i) {
      if (!keep_trying([this] { return journal_->commit(feeder_.batch()).has_value(); }))
        return false;
      feeder_.acknowledged();
      static_cast<void>(journal_->checkpoint_wal().has_value());
      if (i == 7) {
        static_cast<void>(journal_->close().has_value());
        journal_.reset();
      }
    }
    return true;
  }

 private:
  bool post_and_take() {
    if (!application_) application_.emplace(disk_);
    const auto id = application_->post(feeder_.some_gid());
    if (id == 0) return false;
    posted_.push_back(id);
    auto found = journal_->read_posted({});
    if (!found) return false;
    feeder_.take(std::move(found->requests));
    return true;
  }

  bool open() {
    journal_.reset();
    auto journal = store::Journal::open(config_for(disk_, setup_));
    if (!journal) return false;
    const auto take = [](const store::RecoveredTransaction&) {};
    if (!(*journal)->recover(take, [](std::uint64_t) {})) return false;
    journal_ = std::move(*journal);
    return true;
  }

  CrashVfs& disk_;
  const Setup& setup_;
  Feeder& feeder_;
  std::unique_ptr<store::Journal> journal_;
  std::optional<Application> application_;
  std::vector<std::int64_t> posted_;
};

struct BatchTally {
  unsigned runs = 0;
  unsigned violations = 0;
  std::string first;  // the first violation
};

struct CutRun {
  bool was_cut = false;
  std::string verdict;
};

CutRun run_with_cut(std::uint64_t seed, std::uint64_t at, const Setup& setup) {
  CrashVfs disk(seed * 7919 + at, setup.disk);
  Feeder feeder(seed);
  disk.cut_at(at);
  std::vector<std::int64_t> posted;
  {
    Session session(disk, setup, feeder);
    session.run();
    posted = session.posted();
  }
  CutRun result;
  result.was_cut = disk.was_cut();
  disk.cut();
  disk.power_on();
  result.verdict = verdict(disk, setup, feeder, posted);
  return result;
}

// A sanitizer takes ten times as long, and looks at a part.
constexpr std::uint64_t kCutSeeds = kSanitized ? 3 : 12;
constexpr std::uint64_t kPostSeeds = kSanitized ? 1 : 3;
constexpr std::uint64_t kFaultSeeds = kSanitized ? 1 : 3;

BatchTally cut_everywhere(std::uint64_t seeds, std::uint64_t stride, const Setup& setup) {
  BatchTally tally;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (std::uint64_t at = 1 + seed % stride;; at += stride) {
      const auto run = run_with_cut(seed, at, setup);
      ++tally.runs;
      tally.violations += run.verdict.empty() ? 0 : 1;
      if (!run.verdict.empty() && tally.first.empty()) {
        tally.first =
            "seed " + std::to_string(seed) + ", cut at " + std::to_string(at) + ": " + run.verdict;
      }
      if (!run.was_cut) break;  // it came to its end unharmed
    }
  }
  return tally;
}

enum class Lasting : std::uint8_t { once, until_healed };

struct FaultRun {
  bool struck = false;
  std::string verdict;
};

// The fault strikes at its n-th operation; every batch is handed in until it is taken; then the
// power goes.
FaultRun run_with_fault(std::uint64_t seed, Fault fault, std::uint64_t nth, Lasting lasting) {
  CrashVfs disk(seed * 104'729 + nth);
  Feeder feeder(seed);
  Setup setup;
  if (seed % 2 == 0)
    setup.wal_bytes = std::size_t{8} << 20;  // what a hole in the log would hide stays in it
  disk.fail(fault, nth, lasting == Lasting::once ? 1 : 0);
  bool finished = false;
  {
    Session session(disk, setup, feeder);
    finished = session.run_through_errors(6, nth % 2 == 1, [&disk](unsigned failures) {
      if (failures == 4) disk.heal();
    });
    disk.heal();
  }
  FaultRun result;
  result.struck = disk.faults_hit() != 0;
  if (!finished) {
    result.verdict = "a batch was refused although the disk was back";
    return result;
  }
  disk.cut();
  disk.power_on();
  result.verdict = verdict(disk, setup, feeder);
  return result;
}

BatchTally fail_everywhere(Fault fault, Lasting lasting) {
  BatchTally tally;
  for (std::uint64_t seed = 1; seed <= kFaultSeeds; ++seed) {
    for (std::uint64_t nth = 1;; ++nth) {
      const auto run = run_with_fault(seed, fault, nth, lasting);
      ++tally.runs;
      tally.violations += run.verdict.empty() ? 0 : 1;
      if (!run.verdict.empty() && tally.first.empty()) {
        tally.first =
            "seed " + std::to_string(seed) + ", at " + std::to_string(nth) + ": " + run.verdict;
      }
      if (!run.struck) break;
    }
  }
  return tally;
}

}  // namespace

TEST_SUITE("crash/journal") {
  TEST_CASE("what was acknowledged survives a power cut at any write and sync") {
    const auto tally = cut_everywhere(kCutSeeds, 1, {});
    CAPTURE(tally.first);
    CHECK(tally.runs > 100 * kCutSeeds);
    CHECK(tally.violations == 0);
  }

  TEST_CASE("what was posted survives likewise, and its answer goes to disk with its effect") {
    const auto tally = cut_everywhere(kPostSeeds, 1, {.disk = {}, .posts = true});
    CAPTURE(tally.first);
    CHECK(tally.runs > 200 * kPostSeeds);
    CHECK(tally.violations == 0);
  }

  TEST_CASE("control: with normal syncs a power cut takes what was acknowledged") {
    CHECK(cut_everywhere(4, 5, {.disk = {}, .synchronous = store::Synchronous::normal}).violations >
          10);
  }

  TEST_CASE("control: a disk that lies about syncs takes what was acknowledged") {
    CHECK(cut_everywhere(4, 5, {.disk = {.lying_sync = true}}).violations > 10);
  }

  TEST_CASE(
      "a disk that fails at any operation, once or until it is healed, loses and repeats nothing") {
    for (const auto fault :
         {Fault::disk_full, Fault::write_error, Fault::sync_error, Fault::read_only,
          Fault::open_error, Fault::truncate_error, Fault::read_error}) {
      for (const auto lasting : {Lasting::once, Lasting::until_healed}) {
        const auto tally = fail_everywhere(fault, lasting);
        CAPTURE(std::string(name_of(fault)));
        CAPTURE(tally.first);
        CHECK(tally.runs > 3);
        CHECK(tally.violations == 0);
      }
    }
  }
}

}  // namespace belay::test
