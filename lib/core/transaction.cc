#include "core/transaction.h"

#include <fmt/format.h>

#include "core/ops.h"

namespace belay::core {

namespace {

std::unique_ptr<std::string> clone(const std::unique_ptr<std::string>& text) {
  return text ? std::make_unique<std::string>(*text) : nullptr;
}

Branch clone(const Branch& branch) {
  Branch copy;
  copy.due_at = branch.due_at;
  copy.last_error = clone(branch.last_error);
  copy.attempts_first = branch.attempts_first;
  copy.attempts_second = branch.attempts_second;
  copy.unanswered = branch.unanswered;
  copy.first = branch.first;
  copy.second = branch.second;
  copy.parked = branch.parked;
  copy.in_flight = branch.in_flight;
  return copy;
}

}  // namespace

Transaction clone(const Transaction& transaction) {
  Transaction copy;
  copy.id = transaction.id;
  copy.definition = transaction.definition;
  copy.branches.reserve(transaction.branches.size());
  for (const auto& branch : transaction.branches) copy.branches.push_back(clone(branch));
  copy.timeline = transaction.timeline;
  copy.reason = clone(transaction.reason);
  if (transaction.remembered)
    copy.remembered = std::make_unique<Remembered>(*transaction.remembered);
  copy.created_at = transaction.created_at;
  copy.updated_at = transaction.updated_at;
  copy.start_at = transaction.start_at;
  copy.begun = transaction.begun;
  copy.succeeded = transaction.succeeded;
  copy.second_done = transaction.second_done;
  copy.status = transaction.status;
  copy.driven = transaction.driven;
  copy.concluded = transaction.concluded;
  copy.stopped = transaction.stopped;
  return copy;
}

namespace {

std::size_t memory_of(const std::unique_ptr<std::string>& text) {
  return text ? sizeof(std::string) + text->size() : 0;
}

}  // namespace

// For each branch the memory of the branch itself, and of its step's offset in the bytes.
std::size_t memory_of(const Definition& definition) {
  return definition.bytes().size() + definition.added().size() +
         definition.branch_count() * (sizeof(Branch) + sizeof(std::uint32_t));
}

std::size_t memory_of(const Transaction& transaction) {
  auto bytes = sizeof(Transaction) + memory_of(transaction.definition) +
               transaction.timeline.size() + memory_of(transaction.reason);
  for (const auto& branch : transaction.branches) bytes += memory_of(branch.last_error);
  if (const auto* remembered = transaction.remembered.get())
    bytes += sizeof(Remembered) + remembered->steps.size() + remembered->result.size();
  return bytes;
}

namespace {

// The phase whose operations run in this status; nothing if none do.
std::optional<Phase> phase_in(Mode mode, Status status) {
  const auto& ops = ops_of(mode);
  if (status == ops.first_in) return Phase::first;
  const bool second = (status == Status::submitted && ops.commits) ||
                      (status == Status::aborting && ops.rolls_back);
  return second ? std::optional(Phase::second) : std::nullopt;
}

Error forbidden(const Transaction& transaction, std::string_view what) {
  return {ErrorCode::forbidden, "the " + std::string(name_of(transaction.mode())) + " is " +
                                    std::string(name_of(transaction.status)) + ": " +
                                    std::string(what)};
}

}  // namespace

Op current_op(const Transaction& transaction, std::uint32_t branch) {
  if (transaction.mode() == Mode::msg)
    return transaction.definition.is_query(branch) ? Op::query : Op::action;
  const auto& ops = ops_of(transaction.mode());
  switch (transaction.status) {
    case Status::prepared: return ops.first;
    case Status::submitted:
    case Status::succeed: return ops.commits ? ops.commit : ops.first;
    case Status::aborting:
    case Status::failed: break;
  }
  return ops.rollback;
}

bool is_pending(const Transaction& transaction, std::uint32_t index) {
  if (transaction.stopped) return false;
  const auto& branch = transaction.branches[index];
  if (transaction.mode() == Mode::msg && branch.first == OpState::started) {
    const auto wanted =
        transaction.definition.is_query(index) ? Status::prepared : Status::submitted;
    return transaction.status == wanted;
  }
  const auto phase = phase_in(transaction.mode(), transaction.status);
  if (!phase) return false;
  return (*phase == Phase::first ? branch.first : branch.second) == OpState::started;
}

std::uint32_t work_count(const Transaction& transaction) {
  return static_cast<std::uint32_t>(transaction.branches.size()) -
         (transaction.definition.query() ? 1 : 0);
}

bool is_stuck(const Transaction& transaction, std::uint32_t stuck_after) {
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    const auto& branch = transaction.branches[i];
    if ((branch.parked || branch.unanswered >= stuck_after) && is_pending(transaction, i))
      return true;
  }
  return false;
}

std::optional<std::uint32_t> obstacle_of(const Transaction& transaction) {
  std::optional<std::uint32_t> most;
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    const auto& branch = transaction.branches[i];
    if (!is_pending(transaction, i)) continue;
    if (branch.parked) return i;
    if (branch.unanswered > (most ? transaction.branches[*most].unanswered : 0)) most = i;
  }
  return most;
}

std::string describe_wait(const Transaction& transaction, std::uint32_t branch) {
  const auto& definition = transaction.definition;
  const auto& error = transaction.branches[branch].last_error;
  const auto op = current_op(transaction, branch);
  return fmt::format("branch {} ({} {}){}{}", definition.branch_id(branch).view(), name_of(op),
                     definition.target(branch, op), error ? ": " : "",
                     error ? std::string_view(*error) : std::string_view());
}

std::uint32_t attempts_of(const Transaction& transaction) {
  std::uint32_t attempts = 0;
  for (const auto& branch : transaction.branches)
    attempts += branch.attempts_first + branch.attempts_second;
  return attempts;
}

std::optional<std::uint32_t> failing_branch(const Transaction& transaction) {
  const auto most = obstacle_of(transaction);
  if (most && transaction.branches[*most].last_error) return most;
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    if (transaction.branches[i].last_error && is_pending(transaction, i)) return i;
  }
  return std::nullopt;
}

std::string_view turn_reason_of(const Transaction& transaction) {
  return transaction.reason ? std::string_view(*transaction.reason) : std::string_view();
}

std::string_view reason_of(const Transaction& transaction) {
  if (transaction.reason) return *transaction.reason;
  const auto branch = failing_branch(transaction);
  return branch ? std::string_view(*transaction.branches[*branch].last_error) : std::string_view();
}

std::uint64_t deadline_of(const Transaction& transaction) {
  if (transaction.mode() == Mode::workflow) return 0;  // as in dtm
  if (transaction.stopped) return 0;
  const bool is_prepared = transaction.status == Status::prepared;
  const bool is_running_saga =
      transaction.mode() == Mode::saga && transaction.status == Status::submitted;
  if (!is_prepared && !is_running_saga) return 0;
  // A back-check that has begun continues with its retries.
  if (const auto query = transaction.definition.query();
      query && transaction.branches[*query].first != OpState::idle)
    return 0;
  const auto timeout = transaction.definition.timeout_to_fail();
  if (timeout) return transaction.created_at + static_cast<std::uint64_t>(timeout->count());
  return is_running_saga ? 0 : transaction.created_at + kTimeoutToFailDefault;
}

namespace {

// Keeps the earlier of two times; `next` 0: there is no time yet.
void consider(std::uint64_t& next, std::uint64_t at) {
  if (next == 0 || at < next) next = at;
}

}  // namespace

std::uint64_t next_hastened(const Transaction& transaction) {
  if (transaction.finished() || transaction.stopped) return 0;
  std::uint64_t next = 0;
  if (transaction.status == Status::submitted && transaction.begun == 0)
    consider(next, transaction.start_at);
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    const auto& branch = transaction.branches[i];
    if (!branch.in_flight && !branch.parked && branch.due_at != 0 && is_pending(transaction, i))
      consider(next, branch.due_at);
  }
  return next;
}

std::uint64_t next_due(const Transaction& transaction) {
  auto next = next_hastened(transaction);
  if (const auto deadline = deadline_of(transaction)) consider(next, deadline);
  return next;
}

Result<> may_submit(const Transaction& transaction) {
  if (transaction.mode() == Mode::workflow)
    return forbidden(transaction, "its owner says how it ended, it cannot be submitted");
  if (transaction.stopped) return forbidden(transaction, "it was stopped");
  if (transaction.status != Status::prepared || !transaction.driven)
    return forbidden(transaction, "it cannot be submitted");
  if (transaction.mode() == Mode::msg || transaction.mode() == Mode::saga) return {};
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    if (transaction.branches[i].first == OpState::succeeded) continue;
    return forbidden(transaction, "branch " +
                                      std::string(transaction.definition.branch_id(i).view()) +
                                      " did not succeed in its first phase");
  }
  return {};
}

Result<> may_abort(const Transaction& transaction) {
  if (transaction.stopped) return forbidden(transaction, "it was stopped");
  if (transaction.status == Status::prepared && transaction.mode() != Mode::workflow) return {};
  return forbidden(transaction, "it cannot be aborted");
}

Result<> may_turn_back(const Transaction& transaction) {
  const bool runs = transaction.mode() == Mode::saga && transaction.status == Status::submitted;
  if (runs && !transaction.stopped) return {};
  if (may_abort(transaction)) return {};
  return forbidden(transaction, "it cannot turn back");
}

Result<> may_resolve(const Transaction& transaction, std::uint32_t branch, Op op, bool failure) {
  if (transaction.mode() == Mode::workflow)
    return forbidden(transaction, "its owner says how it ended");
  if (transaction.stopped) return forbidden(transaction, "it was stopped");
  const auto id = std::string(transaction.definition.branch_id(branch).view());
  if (!is_pending(transaction, branch))
    return forbidden(transaction, "branch " + id + " waits for no answer");
  if (const auto current = current_op(transaction, branch); op != current) {
    return forbidden(transaction, "branch " + id + " waits for its " +
                                      std::string(name_of(current)) + ", not for its " +
                                      std::string(name_of(op)));
  }
  if (failure && !takes_no(transaction.mode(), op)) {
    return forbidden(transaction,
                     "the " + std::string(name_of(op)) + " of branch " + id + " can only succeed");
  }
  if (!transaction.branches[branch].in_flight) return {};
  return Error{ErrorCode::busy, "a call of branch " + id + " is in flight"};
}

namespace {

bool has_ended(OpState state) { return state != OpState::idle && state != OpState::started; }

// True if this operation of the branch is called, or may still be called later.
bool may_be_called(const Transaction& transaction, std::uint32_t index, Op op) {
  const auto& ops = ops_of(transaction.mode());
  const auto& branch = transaction.branches[index];
  const auto status = transaction.status;
  const bool is_query = transaction.definition.is_query(index);
  if (is_query || op == Op::query)
    return is_query && op == Op::query && status == Status::prepared && !has_ended(branch.first);
  if (op == ops.first)
    return (status == ops.first_in || status == Status::prepared) && !has_ended(branch.first);
  if (has_ended(branch.second)) return false;
  if (ops.commits && op == ops.commit) return status != Status::aborting;
  if (!ops.rolls_back || op != ops.rollback) return false;
  if (status == Status::aborting) return branch.first != OpState::idle;
  return !ops.commits || status == Status::prepared;
}

}  // namespace

Result<> may_edit(const Transaction& transaction, std::uint32_t branch, Op op) {
  BELAY_TRY(may_stop(transaction));
  if (transaction.stopped) return forbidden(transaction, "it was stopped");
  const auto id = std::string(transaction.definition.branch_id(branch).view());
  if (!may_be_called(transaction, branch, op)) {
    return forbidden(transaction, "the " + std::string(name_of(op)) + " of branch " + id +
                                      " is not called any more, or never");
  }
  if (!transaction.branches[branch].in_flight) return {};
  return Error{ErrorCode::busy, "a call of branch " + id + " is in flight"};
}

Result<> may_stop(const Transaction& transaction) {
  if (!transaction.finished()) return {};
  return forbidden(transaction, "it has ended already");
}

Result<> may_add_branch(const Transaction& transaction) {
  if (transaction.stopped) return forbidden(transaction, "it was stopped");
  const bool two_phase = transaction.mode() == Mode::tcc || transaction.mode() == Mode::xa;
  if (transaction.status == Status::prepared && transaction.driven && two_phase) return {};
  return forbidden(transaction, "no branch can be added");
}

Result<> may_progress(const Transaction& transaction) {
  if (transaction.mode() != Mode::workflow) return forbidden(transaction, "it is no workflow");
  if (transaction.stopped) return forbidden(transaction, "it was stopped");
  if (transaction.status == Status::prepared) return {};
  return forbidden(transaction, "it has ended");
}

bool has_call_out(const Transaction& transaction) {
  for (const auto& branch : transaction.branches)
    if (branch.in_flight) return true;
  return false;
}

bool awaits_word_only(const Transaction& transaction) {
  return transaction.mode() == Mode::workflow &&
         transaction.definition.target(0, Op::query).empty();
}

Result<> may_add_branch(const Transaction& transaction, std::string_view step) {
  BELAY_TRY(may_add_branch(transaction));
  const auto taken = transaction.definition.taken_branch_id(step);
  if (!taken) return {};
  return Error{ErrorCode::conflict, "the branch_id '" + *taken + "' is another branch's already"};
}

std::optional<Outcome> first_phase_outcome(const Transaction& transaction, std::uint32_t index) {
  const auto& branch = transaction.branches[index];
  if (branch.first == OpState::succeeded) return Outcome::success();
  if (branch.first == OpState::failed)
    return Outcome::failure(branch.last_error ? *branch.last_error : std::string());
  if (transaction.status == Status::prepared && !transaction.stopped) return std::nullopt;
  return Outcome::unknown(std::string(transaction.stopped ? "the transaction was stopped: "
                                                          : "the transaction turned back: ") +
                          std::string(turn_reason_of(transaction)));
}

}  // namespace belay::core
