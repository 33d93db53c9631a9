// The records that are committed: facts, each about one transaction. The log is a sequence of
// records, and a transaction's state is the result of applying its records in order.
#pragma once

#include <cstdint>
#include <string_view>

#include "belay/outcome.h"
#include "core/transaction.h"

namespace belay::core {

// On disk: append, never renumber.
enum class RecordKind : std::uint8_t {
  // text: the definition's bytes. The transaction goes on without its caller.
  submitted = 1,
  // branch, op: the operation may be called from now on.
  started = 2,
  // branch, op, outcome, due_at (0: the call is not repeated), text: the reason.
  answered = 3,
  // branch, op: the operation's handler is not registered.
  parked = 4,
  // text: why. Nothing goes forward from now on.
  aborting = 5,
  // status
  finished = 6,
  // text: the definition's bytes. The transaction is driven by its caller.
  prepared = 7,
  // text: the bytes of steps, which become additional branches.
  added = 8,
  // due_at: the earliest start. The decision to go through with the transaction; never reversed.
  committing = 9,
  // text: why. No call is made from now on; the transaction fails when the last call has returned.
  stopped = 10,
  // text: a step that a workflow's owner recorded.
  progressed = 12,
  // text: how a workflow's owner ended it; `finished` follows.
  concluded = 13,
  // branch, op, due_at: as `started`, but the call is not made before due_at.
  scheduled = 14,
  // branch, op, text: who asked for it, and why. The operation is called now instead of at its
  // time; that call does not count towards the pauses and the retry limit.
  hastened = 15,
  // branch, op, outcome (success or failure), text: who says so, and why. As `answered`, but an
  // operator knows the outcome.
  resolved = 16,
  // branch, op, text: the edited step and a note, see edit.h. From now on the branch is called with
  // other values.
  edited = 17,
};

// True for the kinds with which a transaction begins.
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
  // Not owned: valid as long as its source is.
  std::string_view text{};
};

inline constexpr std::size_t kReasonBytesMax = 1024;

}  // namespace belay::core
