// Every bound of the engine that is not the embedder's to set, with its reason.
#pragma once

#include <cstddef>
#include <cstdint>

namespace belay::engine {

// Work of one turn, so that a flood in one place never keeps the loop from the others. What goes
// into one batch is bounded apart: see budget.h.
inline constexpr std::size_t kRequestsPerTurn = 4'096;
inline constexpr std::size_t kActsPerTurn = 4'096;
// What an act takes, roughly, µs: against what a commit costs, see
// engine::Coordinator::is_worth_overlapping.
inline constexpr double kActMicros = 2;
inline constexpr std::size_t kDuePerTurn = 4'096;
inline constexpr std::size_t kResumedPerTurn = 4'096;
// Of a request that hastens all: what is looked at, and what is done.
inline constexpr std::size_t kHastenLookedAt = 16'384;
inline constexpr std::size_t kHastenedPerTurn = 1'024;
inline constexpr std::size_t kHastenedBranches = 16'384;
inline constexpr std::size_t kWokenPerTurn = 1'024;
inline constexpr std::size_t kLookupGids = 1'024;

// Rows of finished transactions ride along with a commit that is made anyway. Fewer than this wait,
// so that a lone transaction's latency is its own commits and nothing else …
inline constexpr std::size_t kRowsWorthWriting = 256;
// … but not longer than this, in ms.
inline constexpr std::uint64_t kRowAgeMax = 1'000;
// A row costs some 3 µs: what one commit carries is bounded, so that no commit waits long for it.
inline constexpr std::size_t kRowsPerBatch = 2'048;
// Rows of unfinished ones are dearer: a copy, a snapshot, and the same again later.
inline constexpr std::size_t kSnapshotsPerBatch = 256;

// After a failed commit, ms: doubled from the first to the last.
inline constexpr std::uint64_t kStorageRetryFirst = 100;
inline constexpr std::uint64_t kStorageRetryMax = 5'000;
inline constexpr std::uint64_t kNever = ~std::uint64_t{0};
// How long callers wait for a disk that refuses before they are told commit_unknown, ms.
inline constexpr std::uint64_t kStoragePatience = 10'000;

// How long a write counts as an answer to whether the disk takes any, how long one who asks waits
// for one, ms, and how many may wait in all, from the question to the answer.
inline constexpr std::uint64_t kCheckHolds = 1'000;
inline constexpr std::uint64_t kCheckPatience = 5'000;
inline constexpr std::size_t kChecksMax = 1'024;
// An idle engine notes so often that it sees time pass, ms: see engine/seen_time.h.
inline constexpr std::uint64_t kSeenInterval = 3'600'000;
// A disk that has said neither yes nor no for this long: those who wait for it are told
// commit_unknown, ms.
inline constexpr std::uint64_t kSilencePatience = 30'000;
// A turn that comes later than this was held up itself, ms; then the disk gets so much more.
inline constexpr std::uint64_t kHeldUp = 1'000;
inline constexpr std::uint64_t kSecondLook = 500;

// Realms of XA participants that one engine may use.
inline constexpr std::size_t kRealmsMax = 1'024;

// How often the log tells that the system is short of something, ms.
inline constexpr std::uint64_t kShortagePause = 60'000;

// How often expired rows are looked for, ms, and the pause while there are more: as fast as they
// came, with room for a commit between two steps.
inline constexpr std::uint64_t kCollectInterval = 60'000;
inline constexpr std::uint64_t kCollectPause = 5;

}  // namespace belay::engine
