// A second engine opens the file of a live one, where no lock stops it: between any two commits,
// and between a failed commit and its retry. What either acknowledged must be there, and the first
// must have ended at its next word to the file.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "feeder.h"
#include "store/journal.h"
#include "support/crash_vfs.h"

namespace belay::test {
namespace {

constexpr unsigned kSharedBatches = 10;
constexpr const char* kSharedPath = "belay.db";

std::unique_ptr<store::Journal> open_unlocked(const CrashVfs& disk) {
  store::JournalConfig config;
  config.path = kSharedPath;
  config.vfs = disk.name();  // a named one takes no lock
  config.wal_bytes = 60'000;
  auto journal = store::Journal::open(config);
  if (!journal) return nullptr;
  const auto take = [](const store::RecoveredTransaction&) {};
  if (!(*journal)->recover(take, [](std::uint64_t) {})) return nullptr;
  return std::move(*journal);
}

bool commit_next(store::Journal& journal, Feeder& feeder) {
  if (!journal.commit(feeder.batch())) return false;
  feeder.acknowledged();
  return true;
}

void skip_next(Feeder& feeder) {
  static_cast<void>(feeder.batch());
  feeder.acknowledged();
}

// Empty if all is well. The second engine knows what the first had acknowledged: the same seed says
// the same, so that even its next row has the bytes of the row that the first wants to write.
std::string run_two(std::uint64_t seed, unsigned before, bool first_fails) {
  CrashVfs disk(seed * 31 + before);
  Feeder first_feeder(seed);
  Feeder second_feeder(seed);
  auto first = open_unlocked(disk);
  for (unsigned i = 0; i < before; ++i) {
    if (!commit_next(*first, first_feeder)) return "the first is refused while it is alone";
    skip_next(second_feeder);
  }
  if (first_fails) {
    disk.fail(Fault::disk_full, 1, 1);
    while (commit_next(*first, first_feeder)) {  // a batch may have nothing to write
      if (disk.faults_hit() > 0) return "the first acknowledges what was not written";
      skip_next(second_feeder);
    }
    disk.heal();
  }
  auto second = open_unlocked(disk);
  if (!second) return "the second cannot be opened";
  for (unsigned i = 0; i < kSharedBatches; ++i) {
    if (!commit_next(*second, second_feeder)) return "the second is refused";
    const auto committed = first->commit(first_feeder.batch());
    if (committed) return "the first acknowledges beside the second";
    if (committed.error().code != ErrorCode::superseded) return "the first may try again";
    static_cast<void>(second->checkpoint_wal().has_value());
  }
  if (first->close().has_value()) return "the first closes as if all were well";
  first.reset();
  second.reset();
  disk.cut();
  disk.power_on();
  auto after = open_unlocked(disk);
  if (!after) return "it cannot be opened";
  const auto found = read_all(*after, second_feeder.acked());
  if (!found) return "it cannot be read";
  for (const auto& [gid, state] : second_feeder.acked()) {
    const auto there = found->find(gid);
    if (there == found->end() ? !second_feeder.is_optional(gid) : there->second != state)
      return gid + " is not what the second acknowledged";
  }
  return {};
}

}  // namespace

TEST_SUITE("crash/second-engine") {
  TEST_CASE("a second engine at any moment: one of the two goes on, nothing is lost") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      for (unsigned before = 0; before <= 10; ++before) {
        for (const bool first_fails : {false, true}) {
          CAPTURE(seed);
          CAPTURE(before);
          CAPTURE(first_fails);
          CHECK(run_two(seed, before, first_fails) == "");
        }
      }
    }
  }
}

}  // namespace belay::test
