// How large what is written can get, for given limits. A value and a row of SQLite take
// 1,000,000,000 bytes; what `Limits` allow must fit, or it could be accepted and never be written.
//
// In a row, D being definition_bytes_max and B branches_max:
// - the definition and a workflow's steps, which have D bytes together, as JSON: a byte becomes six
//   at the most (\u0001), and the marks between the fields are within that; and once more as they
//   are, in the snapshot;
// - a branch: a subscriber's name as JSON and in the snapshot; the transaction's headers, which the
//   JSON repeats for each step; its other options; its last error as JSON and in the snapshot; its
//   events in the timeline;
// - a workflow's result, twice; reasons, and the timeline's repeated answers.
// A step of the engine, see engine/budget.h, writes less: a transaction's records without calls
// between them, or one answer and the branches that it starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "belay/options.h"
#include "core/record.h"

namespace belay::core {

inline constexpr std::uint64_t kValueBytesMax = 1'000'000'000;
inline constexpr std::size_t kTargetBytesMax = 1024;
// Of a transaction, and once more of each step: names and values.
inline constexpr std::size_t kHeaderBytesMax = 16 * 1024;

// Of a branch in a row, at the most.
inline constexpr std::uint64_t kBranchRowBytesMax =
    7 * (kTargetBytesMax + 16) + 6 * (kHeaderBytesMax + 64) + 7 * (kReasonBytesMax + 16) + 1'024;

constexpr std::uint64_t row_bytes_max(const Limits& limits) {
  // Beyond these the sum is too large anyway, and could overflow.
  if (limits.definition_bytes_max > kValueBytesMax || limits.branches_max > kValueBytesMax ||
      limits.payload_bytes_max > kValueBytesMax)
    return std::numeric_limits<std::uint64_t>::max();
  return 7 * std::uint64_t{limits.definition_bytes_max} +
         kBranchRowBytesMax * std::uint64_t{limits.branches_max} +
         2 * std::uint64_t{limits.payload_bytes_max} + 1'048'576;
}

// Of records, at the most, beyond a share of a batch.
constexpr std::uint64_t step_bytes_max(const Limits& limits) {
  return 2 * std::uint64_t{limits.definition_bytes_max} +
         (kTargetBytesMax + 64) * std::uint64_t{limits.branches_max} + limits.payload_bytes_max +
         1'048'576;
}

}  // namespace belay::core
