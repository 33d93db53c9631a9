// The limits of the engine that the embedder cannot set, each with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace belay::engine {

// The work of one turn, so that a flood of one kind does not keep the loop from the other kinds.
// The size of a batch is limited separately: see budget.h.
inline constexpr std::size_t kRequestsPerTurn = 4'096;
inline constexpr std::size_t kActsPerTurn = 4'096;
// The approximate time that an act takes, in µs. It is compared with the cost of a commit, see
// engine::Coordinator::is_worth_overlapping.
inline constexpr double kActMicros = 2;
// The loop lingers for a batch of no more records; a larger one has callers enough to make up for
// the time that it takes to wake the thread.
inline constexpr std::uint32_t kLingerRecords = 64;
inline constexpr std::size_t kDuePerTurn = 4'096;
inline constexpr std::size_t kResumedPerTurn = 4'096;
// For a request that hastens all transactions: how many are looked at and how many are hastened in
// one turn.
inline constexpr std::size_t kHastenLookedAt = 16'384;
inline constexpr std::size_t kHastenedPerTurn = 1'024;
inline constexpr std::size_t kHastenedBranches = 16'384;
inline constexpr std::size_t kWokenPerTurn = 1'024;
inline constexpr std::size_t kLookupGids = 1'024;

// Rows of finished transactions are written with a commit that is made anyway. Fewer rows than this
// wait, so that the latency of a single transaction consists only of its own commits.
inline constexpr std::size_t kRowsWorthWriting = 256;
// Rows wait no longer than this, in ms.
inline constexpr std::uint64_t kRowAgeMax = 1'000;
// A row costs some 3 µs. The number of rows in a commit is limited, so that no commit takes much
// longer because of them.
inline constexpr std::size_t kRowsPerBatch = 2'048;
// Rows of unfinished transactions cost more: a copy, a snapshot, and the same work again later.
inline constexpr std::size_t kSnapshotsPerBatch = 256;

// The pause after a failed commit, in ms: doubled each time, from the first value up to the
// maximum.
inline constexpr std::uint64_t kStorageRetryFirst = 100;
inline constexpr std::uint64_t kStorageRetryMax = 5'000;
inline constexpr std::uint64_t kNever = ~std::uint64_t{0};
// How long callers wait for a disk that refuses before they get commit_unknown, in ms.
inline constexpr std::uint64_t kStoragePatience = 10'000;

// For the question whether the disk accepts writes: how long a past write counts as an answer and
// how long a caller waits for a new write, both in ms; and how many callers may wait at once.
inline constexpr std::uint64_t kCheckHolds = 1'000;
inline constexpr std::uint64_t kCheckPatience = 5'000;
inline constexpr std::size_t kChecksMax = 1'024;
// How often an idle engine records that it sees time pass, in ms: see engine/seen_time.h.
inline constexpr std::uint64_t kSeenInterval = 3'600'000;
// If the disk has not responded for this long, in ms, the waiting callers get commit_unknown.
inline constexpr std::uint64_t kSilencePatience = 30'000;
// If a turn starts later than kHeldUp, the turn itself was held up; then the disk gets kSecondLook
// more. Both in ms.
inline constexpr std::uint64_t kHeldUp = 1'000;
inline constexpr std::uint64_t kSecondLook = 500;

// How many calls are found stuck behind open circuit breakers at each checkpoint interval.
inline constexpr std::size_t kHeldBackPerTick = 4'096;

// How much longer than its timeout a call may take if its caller keeps the time itself, in ms: the
// caller knows better why there is no answer.
inline constexpr std::uint64_t kTimedGrace = 1'000;

// How long the answers to requests of other processes stay in the state file, in ms.
inline constexpr std::uint64_t kAnswerRetention = 86'400'000;

// The number of realms of XA participants that one engine may use.
inline constexpr std::size_t kRealmsMax = 1'024;

// The minimum time between two log lines about a shortage of system resources, in ms.
inline constexpr std::uint64_t kShortagePause = 60'000;

// How often expired rows are searched for, in ms, and the pause while more are left. The pause is
// short enough to delete rows as fast as they were written, and leaves room for a commit between
// two steps.
inline constexpr std::uint64_t kCollectInterval = 60'000;
inline constexpr std::uint64_t kCollectPause = 5;

}  // namespace belay::engine
