// The journal on a disk that fails on command: what was acknowledged is there, what was not is the
// batch in flight at most, whatever the disk does and whenever the power goes.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <memory>
#include <string>

#include "feeder.h"
#include "store/journal.h"
#include "support/crash_vfs.h"
#include "support/sanitized.h"

namespace belay::test {
namespace {

constexpr unsigned kBatches = 12;
constexpr const char* kPath = "belay.db";

struct Setup {
  DiskOptions disk;
  store::Synchronous synchronous = store::Synchronous::full;
  std::size_t wal_bytes = 60'000;  // a few commits
};

store::JournalConfig config_for(const CrashVfs& disk, const Setup& setup) {
  store::JournalConfig config;
  config.path = kPath;
  config.vfs = disk.name();
  config.synchronous = setup.synchronous;
  config.wal_bytes = setup.wal_bytes;
  return config;
}

// "ok", or what is wrong.
std::string integrity(const CrashVfs& disk) {
  sqlite3* db = nullptr;
  std::string answer = "no answer";
  const auto take = [](void* out, int, char** columns, char**) {
    *static_cast<std::string*>(out) = columns[0];
    return 0;
  };
  if (sqlite3_open_v2(kPath, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                      disk.name().c_str()) != SQLITE_OK ||
      sqlite3_exec(db, "PRAGMA integrity_check", take, &answer, nullptr) != SQLITE_OK) {
    answer = sqlite3_errmsg(db);
  }
  sqlite3_close_v2(db);
  return answer;
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
std::string verdict(CrashVfs& disk, const Setup& setup, const Feeder& feeder) {
  if (const auto answer = integrity(disk); answer != "ok") return "integrity_check: " + answer;
  auto journal = store::Journal::open(config_for(disk, setup));
  if (!journal) return "it cannot be opened: " + journal.error().detail;
  const auto found = read_all(**journal, feeder.in_flight());
  if (!found) return "it cannot be read";
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
      if (!journal_->commit(feeder_.batch())) return false;
      feeder_.acknowledged();
      if (!journal_->checkpoint_wal()) return false;
      if (i % 5 == 0 && !journal_->collect(feeder_.expire())) return false;
      if (i == 7 && !(journal_->close() && open())) return false;
    }
    return true;
  }
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
  {
    Session session(disk, setup, feeder);
    session.run();
  }
  CutRun result;
  result.was_cut = disk.was_cut();
  disk.cut();
  disk.power_on();
  result.verdict = verdict(disk, setup, feeder);
  return result;
}

// A sanitizer takes ten times as long, and looks at a part.
constexpr std::uint64_t kCutSeeds = kSanitized ? 5 : 20;
constexpr std::uint64_t kFaultSeeds = kSanitized ? 2 : 4;

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
