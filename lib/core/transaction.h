// A transaction as the core knows it: its definition's bytes and, for each branch, how far it got.
// A plain value without I/O; `apply` is the only function that changes what is on disk of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/options.h"
#include "belay/outcome.h"
#include "belay/result.h"
#include "belay/types.h"
#include "core/definition.h"
#include "core/progress.h"

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
  std::uint32_t attempts_first = 0;  // calls that ended
  std::uint32_t attempts_second = 0;
  std::uint32_t unanswered = 0;  // calls of the current op, in a row, without an answer
  OpState first = OpState::idle;
  OpState second = OpState::idle;  // of the one op of the second phase that was decided on
  bool parked = false;             // the current op's handler is not registered
  // Not on disk: a call was handed out and its outcome has not come back.
  bool in_flight = false;
};

struct Transaction {
  TransactionId id = 0;
  Definition definition;
  std::vector<Branch> branches;
  std::string timeline;                    // encoded events, bounded; see timeline.h
  std::unique_ptr<std::string> reason;     // why it is aborting or stopped
  std::unique_ptr<Remembered> remembered;  // a workflow's; null: nothing yet
  std::uint64_t created_at = 0;            // ms since the epoch
  std::uint64_t updated_at = 0;
  std::uint64_t start_at = 0;     // its first step is not to start before
  std::uint32_t begun = 0;        // branches whose first op may have run; never the back-check
  std::uint32_t succeeded = 0;    // branches whose first op succeeded; never the back-check
  std::uint32_t second_done = 0;  // branches whose second op succeeded
  Status status = Status::submitted;
  bool driven = false;     // goes on by its caller's word
  bool stopped = false;    // nobody is called any more; it fails when the last call is back
  bool concluded = false;  // a workflow's owner said how it ended

  std::string_view gid() const { return definition.gid(); }
  Mode mode() const { return definition.mode(); }
  bool finished() const { return is_final(status); }
};

// A copy with nothing shared.
Transaction clone(const Transaction& transaction);
// What it takes in memory, in bytes: about, and never less than its texts have.
std::size_t memory_of(const Transaction& transaction);
// The same of one that was just begun by this definition.
std::size_t memory_of(const Definition& definition);
// The op a branch is at: that of the first phase until the decision, then one of the second.
Op current_op(const Transaction& transaction, std::uint32_t branch);
// True while the branch's current op may be called: started, not ended.
bool is_pending(const Transaction& transaction, std::uint32_t branch);
// Branches that have to be done: all but a message's back-check.
std::uint32_t work_count(const Transaction& transaction);
// See Report::stuck.
bool is_stuck(const Transaction& transaction, std::uint32_t stuck_after);
// Calls that ended, of all branches.
std::uint32_t attempts_of(const Transaction& transaction);
// Why it turned back, or the newest error of a branch; empty if none.
std::string_view reason_of(const Transaction& transaction);
// For all modes but the saga, whose default is never: dtm's.
inline constexpr std::uint64_t kTimeoutToFailDefault = 35'000;  // ms
// When it turns back (a message: asks its back-check) by itself, ms since the epoch; 0: never, or
// it has already.
std::uint64_t deadline_of(const Transaction& transaction);
// May the caller's word be given? An error is `forbidden` and says why not.
Result<> may_submit(const Transaction& transaction);
Result<> may_abort(const Transaction& transaction);
Result<> may_stop(const Transaction& transaction);
Result<> may_add_branch(const Transaction& transaction);
// The same for this branch, as encoded; also `conflict`: another one is called as it would be.
Result<> may_add_branch(const Transaction& transaction, std::string_view step);
Result<> may_progress(const Transaction& transaction);
// Is a call of it still out? Only a workflow may end while its callback is: that is often who ends
// it.
bool has_call_out(const Transaction& transaction);
// Nothing but its caller's word moves it: a workflow without a callback.
bool awaits_word_only(const Transaction& transaction);
// What a driven transaction's branch came to in its first phase; nothing while it is open.
std::optional<Outcome> first_phase_outcome(const Transaction& transaction, std::uint32_t branch);
// The next moment for which something waits that may as well be done now: a retry, a delayed start,
// a back-check, but no deadline. 0: none.
std::uint64_t next_hastened(const Transaction& transaction);
// The next moment (ms since the epoch) at which the core has something to decide; 0: none, a call
// or a handler is awaited, or it is finished.
std::uint64_t next_due(const Transaction& transaction);

}  // namespace belay::core
