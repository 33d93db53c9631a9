// What is committed: facts, each about one transaction. The log is a sequence of them; a
// transaction's state is the fold of its records.
#pragma once

#include <cstdint>
#include <string_view>

#include "belay/outcome.h"
#include "core/transaction.h"

namespace belay::core {

// On disk: append, never renumber.
enum class RecordKind : std::uint8_t {
  submitted = 1,    // text: the definition's bytes. Goes on by itself
  started = 2,      // branch, op: it may be called from now on
  answered = 3,     // branch, op, outcome, due_at (0: not again), text: the reason
  parked = 4,       // branch, op: nobody registered its handler
  aborting = 5,     // text: why. Nothing goes forward from now on
  finished = 6,     // status
  prepared = 7,     // text: the definition's bytes. Known, and driven by its caller
  added = 8,        // text: steps' bytes: branches more
  committing = 9,   // due_at: not to start before. The word to go through with it, never taken back
  stopped = 10,     // text: why. Nobody is called from now on; it fails when the last call is back
  progressed = 12,  // text: a step of a workflow that its owner wants remembered
  concluded = 13,   // text: what the owner of a workflow says of its end; `finished` follows
  scheduled = 14,   // branch, op, due_at: as `started`, but not to be called before
};

// A transaction's first record.
constexpr bool begins(RecordKind kind) {
  return kind == RecordKind::submitted || kind == RecordKind::prepared;
}

struct Record {
  RecordKind kind{};
  TransactionId id = 0;
  std::uint64_t at = 0;  // ms since the epoch
  std::uint32_t branch = 0;
  Op op{};
  OutcomeKind outcome{};
  Status status{};
  std::uint64_t due_at = 0;
  std::string_view text{};  // not owned: valid while what it was made from is
};

inline constexpr std::size_t kReasonBytesMax = 1024;

}  // namespace belay::core
