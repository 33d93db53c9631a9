// A transaction in the core: its definition's bytes, and the state of each branch. A plain value
// without I/O; only `apply` changes the part of it that is on disk.
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

// The state of one operation of one branch. On disk: append, never renumber.
enum class OpState : std::uint8_t {
  idle = 0,     // cannot have run
  started = 1,  // may have run
  succeeded = 2,
  failed = 3,  // the service refused
};

struct Branch {
  // In ms since the epoch: the branch is not called before; 0: at once.
  std::uint64_t due_at = 0;
  std::unique_ptr<std::string> last_error;
  std::uint32_t attempts_first = 0;  // calls that ended
  std::uint32_t attempts_second = 0;
  // Calls of the current operation, in a row, without an answer.
  std::uint32_t unanswered = 0;
  OpState first = OpState::idle;
  // The state of the second-phase operation that was decided on.
  OpState second = OpState::idle;
  // The current operation's handler is not registered, or its call waits behind an open breaker.
  bool parked = false;
  // Not on disk: a call was made and its outcome has not come back.
  bool in_flight = false;
};

struct Transaction {
  TransactionId id = 0;
  Definition definition;
  std::vector<Branch> branches;
  std::string timeline;                    // encoded events, bounded; see timeline.h
  std::unique_ptr<std::string> reason;     // why it is aborting or stopped
  std::unique_ptr<Remembered> remembered;  // a workflow's memory; null: nothing yet
  std::uint64_t created_at = 0;            // ms since the epoch
  std::uint64_t updated_at = 0;
  std::uint64_t start_at = 0;  // the first step does not start before this time
  // Branches whose first operation may have run, without the back-check.
  std::uint32_t begun = 0;
  // Branches whose first operation succeeded, without the back-check.
  std::uint32_t succeeded = 0;
  std::uint32_t second_done = 0;  // branches whose second operation succeeded
  Status status = Status::submitted;
  // The transaction goes on when its caller submits or aborts.
  bool driven = false;
  // No call is made any more; the transaction fails when the last call has returned.
  bool stopped = false;
  bool concluded = false;  // a workflow's owner has ended it

  std::string_view gid() const { return definition.gid(); }
  Mode mode() const { return definition.mode(); }
  bool finished() const { return is_final(status); }
};

// A deep copy.
Transaction clone(const Transaction& transaction);
// The memory that the transaction takes, in bytes: an estimate that is never less than the size of
// its texts.
std::size_t memory_of(const Transaction& transaction);
// The same for a transaction that was just begun with this definition.
std::size_t memory_of(const Definition& definition);
// The branch's current operation: that of the first phase until the decision, then one of the
// second phase.
Op current_op(const Transaction& transaction, std::uint32_t branch);
// True while the branch's current operation may be called: it was started and has not ended.
bool is_pending(const Transaction& transaction, std::uint32_t branch);
// The number of branches that must be done: all except a message's back-check.
std::uint32_t work_count(const Transaction& transaction);
// See Report::stuck.
bool is_stuck(const Transaction& transaction, std::uint32_t stuck_after);
// The branch that keeps the transaction from going on: one that is parked, otherwise the one with
// the most calls in a row without an answer. Nothing if there is none of these.
std::optional<std::uint32_t> obstacle_of(const Transaction& transaction);
// What the branch waits for: "branch 02 (compensate bank.undo): HTTP 502".
std::string describe_wait(const Transaction& transaction, std::uint32_t branch);
// The calls that ended, of all branches.
std::uint32_t attempts_of(const Transaction& transaction);
// The pending branch that has an error; of several, the one that keeps the transaction from going
// on, otherwise the first. Nothing if there is none.
std::optional<std::uint32_t> failing_branch(const Transaction& transaction);
// Why the transaction turned back, as it or its owner said; empty if it did not, or no reason is
// known.
std::string_view turn_reason_of(const Transaction& transaction);
// The same, or else the newest error of a branch.
std::string_view reason_of(const Transaction& transaction);
// For all that is prepared; a saga that goes forward has no timeout by default. The value is dtm's.
inline constexpr std::uint64_t kTimeoutToFailDefault = 35'000;  // ms
// When the transaction turns back by itself (a message: calls its back-check), in ms since the
// epoch; 0: never, or it has already done so.
std::uint64_t deadline_of(const Transaction& transaction);
// Whether the request is allowed in this state. The error is `forbidden`, with the reason.
Result<> may_submit(const Transaction& transaction);
Result<> may_abort(const Transaction& transaction);
Result<> may_turn_back(const Transaction& transaction);
// `failure`: of this operation of the branch; otherwise its success. Also `busy`, if a call of the
// branch is in flight.
Result<> may_resolve(const Transaction& transaction, std::uint32_t branch, Op op, bool failure);
// This operation of the branch can still be called, and so be called with other values. Also
// `busy`, as above.
Result<> may_edit(const Transaction& transaction, std::uint32_t branch, Op op);
Result<> may_stop(const Transaction& transaction);
Result<> may_add_branch(const Transaction& transaction);
// The same for this encoded branch; also `conflict`, if another branch has its id.
Result<> may_add_branch(const Transaction& transaction, std::string_view step);
Result<> may_progress(const Transaction& transaction);
// True if a call of the transaction is still in flight. Only a workflow may end while its callback
// runs, because the callback itself often ends the workflow.
bool has_call_out(const Transaction& transaction);
// True if only the caller can move the transaction on: a workflow without a callback.
bool awaits_word_only(const Transaction& transaction);
// The outcome of a driven transaction's branch in its first phase; nothing while the phase is open.
std::optional<Outcome> first_phase_outcome(const Transaction& transaction, std::uint32_t branch);
// The time of the next action that could as well be done now: a retry or a delayed start, but not a
// deadline. The first back-check comes at a deadline: until then the sender may still be at work.
// 0: there is none.
std::uint64_t next_hastened(const Transaction& transaction);
// The next time (ms since the epoch) at which the core has something to decide; 0: none, because
// the transaction waits for a call or a handler, or is finished.
std::uint64_t next_due(const Transaction& transaction);

}  // namespace belay::core
