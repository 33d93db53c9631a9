// The maximum size of a row and of records for given limits. SQLite accepts at most 1,000,000,000
// bytes in a value or a row. Everything that `Limits` allow must fit; otherwise a transaction could
// be accepted and never be written.
//
// The parts of a row, where D is definition_bytes_max and B is branches_max:
// - the definition and a workflow's steps, together D bytes, as JSON: a byte becomes at most six
//   (\u0001), and this includes the punctuation between the fields; and the same bytes once more in
//   the snapshot;
// - for each of B branches: the name of a subscriber, as JSON and in the snapshot; the
//   transaction's headers, which the JSON repeats for each step; its other options; its last error,
//   as JSON and in the snapshot; its events in the timeline;
// - a workflow's result, twice; reasons, and the timeline's repeated answers.
// One step of the engine, see engine/budget.h, writes less: the records of a transaction without
// calls between them, or one answer and the branches that it starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "belay/options.h"
#include "core/record.h"

namespace belay::core {

inline constexpr std::uint64_t kValueBytesMax = 1'000'000'000;
inline constexpr std::size_t kTargetBytesMax = 1024;
// The names and values of a transaction's headers, and the same again for each step.
inline constexpr std::size_t kHeaderBytesMax = 16 * 1024;

// The maximum bytes of one branch in a row.
inline constexpr std::uint64_t kBranchRowBytesMax =
    7 * (kTargetBytesMax + 16) + 6 * (kHeaderBytesMax + 64) + 7 * (kReasonBytesMax + 16) + 1'024;

// An edited step is part of the definition; the last term holds the notes of all edits.
constexpr std::uint64_t row_bytes_max(const Limits& limits) {
  // With larger limits the sum would be too large anyway, and could overflow.
  if (limits.definition_bytes_max > kValueBytesMax || limits.branches_max > kValueBytesMax ||
      limits.payload_bytes_max > kValueBytesMax)
    return std::numeric_limits<std::uint64_t>::max();
  return 7 * std::uint64_t{limits.definition_bytes_max} +
         kBranchRowBytesMax * std::uint64_t{limits.branches_max} +
         2 * std::uint64_t{limits.payload_bytes_max} + 1'048'576;
}

// The maximum bytes of records that one step may add beyond a share of a batch.
constexpr std::uint64_t step_bytes_max(const Limits& limits) {
  return 2 * std::uint64_t{limits.definition_bytes_max} +
         (kTargetBytesMax + 64) * std::uint64_t{limits.branches_max} + limits.payload_bytes_max +
         1'048'576;
}

}  // namespace belay::core
