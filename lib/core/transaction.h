// A transaction as the core knows it: its definition's bytes and, for each branch, how far it got.
// A plain value without I/O; `apply` is the only function that changes what is on disk of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/options.h"
#include "belay/types.h"
#include "core/definition.h"

namespace belay::core {

using Lsn = std::uint64_t;
using TransactionId = std::uint64_t;  // the row's key; grows with every submit

// How far one operation of one branch got. On disk: append, never renumber.
enum class OpState : std::uint8_t {
  idle = 0,     // cannot have run
  started = 1,  // may have run
  succeeded = 2,
  failed = 3,  // a business no
};

struct Branch {
  std::uint64_t due_at = 0;  // ms since the epoch: not to be called before; 0: at once
  std::unique_ptr<std::string> last_error;
  std::uint32_t attempts_forward = 0;  // calls that ended
  std::uint32_t attempts_backward = 0;
  std::uint32_t unanswered = 0;  // calls of the current op, in a row, without an answer
  OpState forward = OpState::idle;
  OpState backward = OpState::idle;
  bool parked = false;  // the current op's handler is not registered
  // Not on disk: a call was handed out and its outcome has not come back.
  bool in_flight = false;
};

struct Transaction {
  TransactionId id = 0;
  Definition definition;
  std::vector<Branch> branches;
  std::string timeline;                 // encoded events, bounded; see timeline.h
  std::unique_ptr<std::string> reason;  // why it is aborting
  std::uint64_t created_at = 0;         // ms since the epoch
  std::uint64_t updated_at = 0;
  std::uint32_t begun = 0;      // branches whose forward op may have run
  std::uint32_t succeeded = 0;  // branches whose forward op succeeded
  std::uint32_t undone = 0;     // branches whose backward op succeeded
  Status status = Status::submitted;

  std::string_view gid() const { return definition.gid(); }
  Mode mode() const { return definition.mode(); }
  bool finished() const { return is_final(status); }
};

// A copy with nothing shared.
Transaction clone(const Transaction& transaction);
// The op a branch is at: forward until the decision to abort, then backward.
Op current_op(const Transaction& transaction);
// True while the branch's current op may be called: started, not ended.
bool is_pending(const Transaction& transaction, const Branch& branch);
// See Report::stuck.
bool is_stuck(const Transaction& transaction, std::uint32_t stuck_after);
// Calls that ended, of all branches.
std::uint32_t attempts_of(const Transaction& transaction);
// Why it turned back, or the newest error of a branch; empty if none.
std::string_view reason_of(const Transaction& transaction);
// When it turns back by itself, ms since the epoch; 0: never, or it has already.
std::uint64_t deadline_of(const Transaction& transaction);
// When its first step may start, ms since the epoch.
std::uint64_t start_of(const Transaction& transaction);
// The next moment (ms since the epoch) at which the core has something to decide; 0: none, a call
// or a handler is awaited, or it is finished.
std::uint64_t next_due(const Transaction& transaction);

}  // namespace belay::core
