#include "core/apply.h"

#include <array>
#include <string>

#include "base/bytes.h"
#include "base/mark.h"
#include "core/edit.h"
#include "core/ops.h"
#include "core/timeline.h"

namespace belay::core {
namespace {

constexpr unsigned bit(Status status) { return 1u << static_cast<unsigned>(status); }

// Which status may follow which: only forward, and none after a final status.
constexpr std::array<unsigned, 5> kMayGoTo = {
    bit(Status::submitted) | bit(Status::aborting),  // prepared
    bit(Status::aborting) | bit(Status::succeed),    // submitted
    bit(Status::failed),                             // aborting
    0,                                               // succeed
    0,                                               // failed
};
static_assert(kMayGoTo[static_cast<std::size_t>(Status::succeed)] == 0);
static_assert(kMayGoTo[static_cast<std::size_t>(Status::failed)] == 0);

// A workflow only goes from prepared to its end: see `apply_finished`.
bool may_go_to(const Transaction& transaction, Status to) {
  if (transaction.mode() == Mode::workflow) return false;
  return (kMayGoTo[static_cast<std::size_t>(transaction.status)] & bit(to)) != 0;
}

bool is_first(Op op) { return phase_of(op) == Phase::first; }

OpState& state_of(Branch& branch, Op op) { return is_first(op) ? branch.first : branch.second; }

void keep_text(std::unique_ptr<std::string>& slot, std::string_view text) {
  if (text.empty()) {
    slot.reset();
  } else {
    slot = std::make_unique<std::string>(text);
  }
}

// True if this operation of this branch may start now.
bool may_start(const Transaction& transaction, std::uint32_t index, Op op) {
  if (op != current_op(transaction, index)) return false;
  const auto& branch = transaction.branches[index];
  const auto& ops = ops_of(transaction.mode());
  if (op == Op::query)
    return transaction.status == Status::prepared && branch.first == OpState::idle;
  if (is_first(op)) return transaction.status == ops.first_in && branch.first == OpState::idle;
  if (branch.second != OpState::idle) return false;
  if (ops.commits && op == ops.commit)
    return transaction.status == Status::submitted && branch.first == OpState::succeeded;
  // A branch that cannot have run has nothing to undo.
  return transaction.status == Status::aborting && branch.first != OpState::idle;
}

bool apply_started(Transaction& transaction, std::uint32_t index, Op op) {
  if (!may_start(transaction, index, op)) return false;
  auto& branch = transaction.branches[index];
  if (branch.parked) BELAY_MARK(parked_then_turned_back);
  state_of(branch, op) = OpState::started;
  branch.due_at = 0;
  branch.unanswered = 0;
  branch.parked = false;
  branch.last_error.reset();
  if (is_first(op) && op != Op::query) ++transaction.begun;
  return true;
}

// The first operation may still answer after the transaction has turned back.
bool has_op(const Transaction& transaction, std::uint32_t index, Op op) {
  if (!is_first(op)) return op == current_op(transaction, index);
  return op ==
         (transaction.definition.is_query(index) ? Op::query : ops_of(transaction.mode()).first);
}

bool apply_answered(Transaction& transaction, Branch& branch, const Record& record) {
  const auto op = record.op;
  if (!has_op(transaction, record.branch, op)) return false;
  auto& state = state_of(branch, op);
  if (state != OpState::started || transaction.finished()) return false;
  // The undo starts only after this answer.
  if (is_first(op) && branch.second != OpState::idle) return false;
  const bool no = record.outcome == OutcomeKind::failure && takes_no(transaction.mode(), op);
  // A workflow is ended by its owner, not by an answer.
  const bool ends = transaction.mode() != Mode::workflow;
  if (record.outcome == OutcomeKind::success && ends) {
    state = OpState::succeeded;
    if (op != Op::query) ++(is_first(op) ? transaction.succeeded : transaction.second_done);
  } else if (no) {
    state = OpState::failed;
  }
  if (record.kind == RecordKind::answered)
    ++(is_first(op) ? branch.attempts_first : branch.attempts_second);
  const bool answered =
      no || record.outcome == OutcomeKind::success || record.outcome == OutcomeKind::ongoing;
  branch.unanswered = answered ? 0 : branch.unanswered + 1;
  branch.due_at = record.due_at;
  branch.parked = false;
  const bool keeps = record.kind == RecordKind::answered || no;
  keep_text(branch.last_error, keeps ? record.text : std::string_view());
  return true;
}

// Only what ends the operation can be said by an operator.
bool apply_resolved(Transaction& transaction, Branch& branch, const Record& record) {
  if (transaction.mode() == Mode::workflow || !is_pending(transaction, record.branch)) return false;
  if (record.op != current_op(transaction, record.branch)) return false;
  const bool may_be =
      record.outcome == OutcomeKind::success ||
      (record.outcome == OutcomeKind::failure && takes_no(transaction.mode(), record.op));
  return may_be && apply_answered(transaction, branch, record);
}

// The call that an operator asks for does not count towards the pauses and the retry limit.
bool apply_hastened(Transaction& transaction, Branch& branch, const Record& record) {
  if (!is_pending(transaction, record.branch) || branch.parked) return false;
  if (record.op != current_op(transaction, record.branch)) return false;
  if (branch.unanswered > 0) --branch.unanswered;
  return true;
}

// The branch is called with other values, so what was known of its calls does not count any more.
bool apply_edited(Transaction& transaction, const Record& record) {
  const auto edit = read_edit(record.text);
  if (!edit || !may_edit(transaction, record.branch, record.op)) return false;
  if (!transaction.definition.edit_step(record.branch, edit->step)) return false;
  auto& branch = transaction.branches[record.branch];
  branch.parked = false;
  branch.due_at = 0;
  branch.unanswered = 0;
  return true;
}

bool apply_scheduled(Transaction& transaction, const Record& record) {
  if (transaction.mode() != Mode::workflow || transaction.concluded) return false;
  if (!apply_started(transaction, record.branch, record.op)) return false;
  transaction.branches[record.branch].due_at = record.due_at;
  return true;
}

Remembered& memory_of(Transaction& transaction) {
  if (!transaction.remembered) transaction.remembered = std::make_unique<Remembered>();
  return *transaction.remembered;
}

bool apply_progressed(Transaction& transaction, const Record& record) {
  if (!may_progress(transaction) || transaction.concluded) return false;
  const auto step = read_progress(record.text);
  if (!step || (transaction.remembered && remembers(*transaction.remembered, *step))) return false;
  remember(memory_of(transaction), static_cast<std::int64_t>(record.at - transaction.created_at),
           record.text);
  return true;
}

bool apply_concluded(Transaction& transaction, std::string_view bytes) {
  if (!may_progress(transaction) || transaction.concluded) return false;
  const auto conclusion = read_conclusion(bytes);
  if (!conclusion) return false;
  transaction.concluded = true;
  keep_text(transaction.reason, conclusion->reason);
  if (!conclusion->result.empty()) memory_of(transaction).result = conclusion->result;
  return true;
}

bool apply_finished(Transaction& transaction, Status status) {
  if (transaction.stopped) {  // whatever was done or undone
    if (transaction.finished() || status != Status::failed) return false;
    transaction.status = status;
    return true;
  }
  if (transaction.mode() == Mode::workflow) {
    if (!is_final(status) || transaction.finished() || !transaction.concluded) return false;
    transaction.status = status;
    return true;
  }
  if (!is_final(status) || !may_go_to(transaction, status)) return false;
  if (status == Status::succeed) {
    const auto done =
        ops_of(transaction.mode()).commits ? transaction.second_done : transaction.succeeded;
    if (done != work_count(transaction)) return false;
  }
  if (status == Status::failed && transaction.second_done != transaction.begun) return false;
  transaction.status = status;
  return true;
}

bool apply_committing(Transaction& transaction, const Record& record) {
  if (!may_go_to(transaction, Status::submitted)) return false;
  if (ops_of(transaction.mode()).commits && transaction.succeeded != transaction.branches.size())
    return false;
  transaction.status = Status::submitted;
  transaction.start_at = record.due_at;
  return true;
}

// Adds branches of a driven transaction before its decision, or subscribers of a message's topics
// after the decision.
bool apply_added(Transaction& transaction, const Record& record) {
  const bool is_msg = transaction.mode() == Mode::msg;
  if (is_msg ? transaction.status != Status::submitted : !may_add_branch(transaction)) return false;
  if (!transaction.definition.add_steps(record.text)) return false;
  transaction.branches.resize(transaction.definition.branch_count());
  return true;
}

bool apply_aborting(Transaction& transaction, std::string_view why) {
  if (!may_go_to(transaction, Status::aborting)) return false;
  // Only a saga in status submitted can still turn back; in the other modes submitted is the
  // decision to commit.
  if (transaction.status == Status::submitted && transaction.mode() != Mode::saga) return false;
  transaction.status = Status::aborting;
  keep_text(transaction.reason, why);
  return true;
}

bool apply_stopped(Transaction& transaction, std::string_view why) {
  if (transaction.finished()) return false;
  transaction.stopped = true;
  keep_text(transaction.reason, why);
  return true;
}

bool apply_to_branch(Transaction& transaction, const Record& record) {
  if (record.branch >= transaction.branches.size()) return false;
  auto& branch = transaction.branches[record.branch];
  switch (record.kind) {
    case RecordKind::started: return apply_started(transaction, record.branch, record.op);
    case RecordKind::answered: return apply_answered(transaction, branch, record);
    case RecordKind::scheduled: return apply_scheduled(transaction, record);
    case RecordKind::resolved: return apply_resolved(transaction, branch, record);
    case RecordKind::hastened: return apply_hastened(transaction, branch, record);
    case RecordKind::edited: return apply_edited(transaction, record);
    case RecordKind::parked:
      if (!is_pending(transaction, record.branch) ||
          record.op != current_op(transaction, record.branch))
        return false;
      branch.parked = true;
      branch.due_at = 0;  // the branch waits for its handler or its host, not for a time
      keep_text(branch.last_error, record.text);
      return true;
    default: break;
  }
  return false;
}

// A stopped transaction accepts only the answers of its calls in flight, and its end.
bool may_take(const Transaction& transaction, RecordKind kind) {
  return !transaction.stopped || kind == RecordKind::answered || kind == RecordKind::finished;
}

bool apply_by_kind(Transaction& transaction, const Record& record) {
  if (!may_take(transaction, record.kind)) return false;
  switch (record.kind) {
    case RecordKind::started:
    case RecordKind::answered:
    case RecordKind::parked:
    case RecordKind::resolved:
    case RecordKind::hastened:
    case RecordKind::edited:
    case RecordKind::scheduled: return apply_to_branch(transaction, record);
    case RecordKind::aborting: return apply_aborting(transaction, record.text);
    case RecordKind::finished: return apply_finished(transaction, record.status);
    case RecordKind::committing: return apply_committing(transaction, record);
    case RecordKind::added: return apply_added(transaction, record);
    case RecordKind::stopped: return apply_stopped(transaction, record.text);
    case RecordKind::progressed: return apply_progressed(transaction, record);
    case RecordKind::concluded: return apply_concluded(transaction, record.text);
    case RecordKind::submitted:
    case RecordKind::prepared: break;
  }
  return false;
}

}  // namespace

Result<Transaction> begin(const Record& submitted) {
  if (!begins(submitted.kind)) {
    return Error{ErrorCode::corrupt,
                 "transaction " + std::to_string(submitted.id) + " does not begin with a submit"};
  }
  auto definition = Definition::parse(submitted.text);
  if (!definition) return definition.error();
  return begin(submitted, std::move(*definition));
}

Transaction begin(const Record& submitted, Definition definition) {
  Transaction transaction;
  transaction.id = submitted.id;
  transaction.definition = std::move(definition);
  transaction.branches.resize(transaction.definition.branch_count());
  transaction.created_at = transaction.updated_at = submitted.at;
  transaction.start_at =
      submitted.at + static_cast<std::uint64_t>(transaction.definition.delay().count());
  transaction.driven = submitted.kind == RecordKind::prepared;
  transaction.status = transaction.driven ? Status::prepared : ops_of(transaction.mode()).first_in;
  append_event(transaction.timeline, transaction.created_at, submitted);
  return transaction;
}

Result<> apply(Transaction& transaction, const Record& record) {
  const auto branches_before = static_cast<std::uint32_t>(transaction.branches.size());
  if (!apply_by_kind(transaction, record)) {
    return Error{ErrorCode::corrupt, "transaction " + std::to_string(transaction.id) + " (" +
                                         std::string(name_of(transaction.status)) +
                                         ") cannot take record kind " +
                                         std::to_string(static_cast<unsigned>(record.kind)) +
                                         " of branch " + std::to_string(record.branch + 1)};
  }
  transaction.updated_at = record.at;
  auto event = record;
  if (event.kind == RecordKind::added) event.branch = branches_before;
  if (event.kind == RecordKind::progressed) event.branch = transaction.remembered->count - 1;
  if (event.kind == RecordKind::edited) event.text = read_edit(record.text)->note;
  if (event.kind == RecordKind::concluded) event.text = turn_reason_of(transaction);
  append_event(transaction.timeline, transaction.created_at, event);
  return {};
}

}  // namespace belay::core
