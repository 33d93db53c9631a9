// The swarm: what can go wrong in one run, and within which bounds. Most runs have few kinds of
// trouble, so that one kind is not hidden behind another; limits are often 1 or 2, where the rare
// paths are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "belay/options.h"
#include "engine/budget.h"
#include "support/crash_vfs.h"
#include "support/random.h"

namespace belay::sim {

// What happens to calls, in percent.
struct CallFaults {
  std::uint64_t lost_request = 0;  // it never reaches the bank
  std::uint64_t lost_reply = 0;    // the bank did it and nobody hears
  std::uint64_t late = 0;          // takes longer than the caller waits, and still lands
  std::uint64_t duplicate = 0;     // lands twice, and is answered twice
  std::uint64_t ongoing = 0;
  std::uint64_t unknown =
      0;  // the bank says something that nobody can read, before or after doing it
  std::uint64_t compensation_failure = 0;  // a compensation that answers a business no
};

struct DiskTrouble {
  std::uint64_t at_ms = 0;
  test::Fault fault{};
  std::uint64_t nth = 1;
  std::uint64_t times = 0;  // 0: until `heal_after_ms`
  std::uint64_t heal_after_ms = 0;
};

// Where the process ends.
enum class CrashPoint : std::uint8_t {
  anywhere,    // between two events
  within_sql,  // at the n-th change of the disk
  before_sql,  // a batch was handed to the store, nothing is written
  after_sql,   // it is on disk, and the engine does not know
  at_call,     // at the n-th call it makes
  at_answer,   // at the n-th time a caller hears something
};
inline constexpr std::uint64_t kCrashPoints = 6;

struct Crash {
  std::uint64_t at_ms = 0;  // armed from then on
  CrashPoint point{};
  std::uint64_t countdown = 1;
  bool power_cut = true;  // else the process alone dies
  std::uint64_t down_ms = 0;
};

struct Window {
  std::uint64_t at_ms = 0;
  std::uint64_t length_ms = 0;
  std::uint64_t target = 0;
};

struct WallJump {
  std::uint64_t at_ms = 0;
  std::int64_t by_ms = 0;
};

// How many transactions of each kind, and what their callers do.
struct Others {
  std::uint64_t declared = 0;  // tcc, xa
  std::uint64_t driven = 0;
  std::uint64_t messages = 0;  // submitted at once
  std::uint64_t prepared = 0;  // messages with a word or a back-check
  std::uint64_t topics = 0;    // 0: none
  std::uint64_t topic_changes = 0;
  std::uint64_t query_percent = 100;  // prepared messages with a back-check
  std::uint64_t vanish_percent = 0;   // callers that say no more, at each step
  std::uint64_t eager_percent = 0;    // requests made before the last one was answered
  std::uint64_t abort_percent = 0;
  std::uint64_t words_again = 0;  // words from another process, at any moment
  std::uint64_t pause_us = 0;     // between a caller's steps, at most
};

struct Plan {
  std::uint64_t sagas = 1;
  Others others;
  std::uint64_t branches_max = 3;
  std::uint64_t targets = 1;
  std::uint64_t deferred_percent = 0;
  std::uint64_t blocking_percent = 0;  // of the deferred: handlers that block, in the process
  std::uint64_t refusal_percent = 0;   // branches whose bank says no
  std::uint64_t empty_percent = 0;     // targets left empty
  std::uint64_t timeout_percent = 0;   // sagas with timeout_to_fail
  std::uint64_t delay_percent = 0;
  std::uint64_t own_retry_percent = 0;  // sagas or steps with a retry policy of their own
  std::uint64_t wait_percent = 0;       // submits that wait for the result
  std::uint64_t again_percent = 0;      // submits of a gid known already
  std::uint64_t finds = 0;
  std::uint64_t operator_words = 0;  // to stop one, or to hasten what waits
  std::uint64_t orders = 0;          // of all kinds, see operator.h
  std::uint64_t second_engines = 0;  // that open the file of a live one
  std::uint64_t chaos_ms = 1000;
  std::uint64_t latency_us = 100;  // of calls, at most
  std::uint64_t disk_us = 100;     // of commits, at most
  std::uint64_t late_alarm_percent = 0;
  CallFaults calls;
  std::vector<DiskTrouble> disk;
  std::vector<Crash> crashes;
  std::vector<std::uint64_t> restarts;  // graceful: close and open again, at ms
  std::vector<Window> unregistered;
  std::vector<Window> shut;       // banks that take no calls for a while
  std::uint64_t lane_places = 0;  // deferred calls a bank takes at once; 0: any number
  std::vector<WallJump> jumps;
  // Starts before which the clock jumps by days or years, in percent; and how many at most.
  std::uint64_t clock_start_percent = 0;
  std::uint64_t clock_starts_max = 6;
  std::size_t wal_bytes = 0;  // JournalConfig::wal_bytes
  Options options;
  engine::BatchLimits batch;

  bool memory_runs_out() const { return options.limits.live_bytes_max < 100'000; }
  bool queue_runs_out() const { return options.limits.queued_bytes_max < 100'000; }
  // Whether finished transactions may be forgotten while the run lasts.
  bool forgets() const {
    // Longer than any run is seen by its engines, whatever their clocks say.
    constexpr Millis kBeyondRuns{7LL * 24 * 3'600'000};
    const auto is_short = [&](Millis time) { return time.count() != 0 && time < kBeyondRuns; };
    return options.history != History::all || is_short(options.retention) ||
           is_short(options.retention_failed);
  }
};

Plan make_plan(test::Random& random);
// Some runs have byte budgets that run out: drawn from a stream of their own, so that all else of a
// run is as it was without them.
void plan_budgets(Plan& plan, test::Random random);
// A retry policy that is tried often enough in a run, and not too often.
Retry make_retry(test::Random& random, std::uint64_t chaos_ms);
// One line, for a failure's message.
std::string describe(const Plan& plan);

}  // namespace belay::sim
