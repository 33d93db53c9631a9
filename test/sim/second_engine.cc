// The second engine: one that opens the file of a live one, on a disk where locks do not work. Here
// it counts the epoch up, as every opening does, and is replaced by the next life, which comes when
// somebody noticed. Its checker knows the file alone: from that moment on the first adds nothing to
// the log and takes nothing away.
#include <sqlite3.h>

#include "run.h"

namespace belay::sim {
namespace {

constexpr const char* kFile = "belay.db";
constexpr std::uint64_t kNoticedMs = 700;
constexpr const char* kDigest =
    "SELECT count(*) || ' rows to ' || max(lsn) || ', ' || sum(length(records)) || ' bytes' FROM "
    "log";
constexpr const char* kOpenAgain = "UPDATE meta SET value = value + 1 WHERE name = 'epoch'";
constexpr const char* kWriteOn =
    "UPDATE log SET lsn = lsn + 1 WHERE lsn = (SELECT max(lsn) FROM log)";

// The first column of the last row; empty if there is none, or if it fails.
std::string run_beside(const test::CrashVfs& disk, const char* sql) {
  sqlite3* db = nullptr;
  std::string text;
  const auto take = [](void* out, int, char** columns, char**) noexcept {
    *static_cast<std::string*>(out) = columns[0] == nullptr ? "" : columns[0];
    return 0;
  };
  if (sqlite3_open_v2(kFile, &db, SQLITE_OPEN_READWRITE, disk.name().c_str()) == SQLITE_OK) {
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    if (sqlite3_exec(db, sql, take, &text, nullptr) != SQLITE_OK) text.clear();
  }
  sqlite3_close_v2(db);
  return text;
}

}  // namespace

std::string Run::log_digest() { return run_beside(disk_, kDigest); }

void Run::open_beside() {
  const bool possible =
      stage_ == Stage::chaos && engine_ && world_.alive() && !dead_ && log_when_taken_.empty();
  if (!possible) return;
  const auto digest = log_digest();
  const auto taken = run_beside(disk_, (std::string(kOpenAgain) + " RETURNING value").c_str());
  if (disk_.was_cut()) {
    strikes(CrashPoint::within_sql);
    return;
  }
  if (taken.empty()) return;
  world_.note("ANOTHER ENGINE opens the file: epoch {}, {}", taken, digest);
  log_when_taken_ = digest.empty() ? "nothing" : digest;
  if (run_options_.planted == Planted::two_writers) run_beside(disk_, kWriteOn);
  world_.after_us(kNoticedMs * 1000, [this, life = world_.life()] {
    if (world_.alive() && world_.life() == life) die(false, 1);
  });
}

// As if what was answered had never been.
void Run::lose_answers() {
  run_beside(disk_, "UPDATE belay_requests SET answered_at = NULL, answer = NULL, detail = NULL");
}

// The operator used the disk, also while no engine lives.
void Run::used_beside() {
  if (!disk_.was_cut()) return;
  if (world_.alive() && !dead_) {
    strikes(CrashPoint::within_sql);
  } else {
    power_off_ = true;
  }
}

void Run::check_left_alone() {
  if (log_when_taken_.empty()) return;
  const auto digest = log_digest();
  if ((digest.empty() ? "nothing" : digest) != log_when_taken_) {
    world_.fail("another engine had the file, and this one wrote on: " + log_when_taken_ +
                ", then " + digest);
  }
  log_when_taken_.clear();
}

}  // namespace belay::sim
