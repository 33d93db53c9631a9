#include "core/apply.h"

#include <array>
#include <string>

#include "base/bytes.h"
#include "base/mark.h"
#include "core/timeline.h"

namespace belay::core {
namespace {

constexpr unsigned bit(Status status) { return 1u << static_cast<unsigned>(status); }

// Which status may follow which: forward only, and nothing after a final one.
constexpr std::array<unsigned, 5> kMayGoTo = {
    bit(Status::submitted) | bit(Status::aborting) | bit(Status::failed),  // prepared
    bit(Status::aborting) | bit(Status::succeed),                          // submitted
    bit(Status::failed),                                                   // aborting
    0,                                                                     // succeed
    0,                                                                     // failed
};
static_assert(kMayGoTo[static_cast<std::size_t>(Status::succeed)] == 0);
static_assert(kMayGoTo[static_cast<std::size_t>(Status::failed)] == 0);

bool may_go_to(const Transaction& transaction, Status to) {
  return (kMayGoTo[static_cast<std::size_t>(transaction.status)] & bit(to)) != 0;
}

bool is_forward(Op op) { return op == Op::action; }

OpState& state_of(Branch& branch, Op op) {
  return is_forward(op) ? branch.forward : branch.backward;
}

void keep_text(std::unique_ptr<std::string>& slot, std::string_view text) {
  if (text.empty()) {
    slot.reset();
  } else {
    slot = std::make_unique<std::string>(text);
  }
}

bool apply_started(Transaction& transaction, Branch& branch, Op op) {
  const auto wanted = is_forward(op) ? Status::submitted : Status::aborting;
  if (transaction.status != wanted || state_of(branch, op) != OpState::idle) return false;
  // it cannot have run: nothing to undo
  if (!is_forward(op) && branch.forward == OpState::idle) return false;
  if (branch.parked) BELAY_MARK(parked_then_turned_back);
  state_of(branch, op) = OpState::started;
  branch.due_at = 0;
  branch.unanswered = 0;
  branch.parked = false;
  branch.last_error.reset();
  if (is_forward(op)) ++transaction.begun;
  return true;
}

bool apply_answered(Transaction& transaction, Branch& branch, const Record& record) {
  auto& state = state_of(branch, record.op);
  if (state != OpState::started || transaction.finished()) return false;
  // the undo waits for this answer
  if (is_forward(record.op) && branch.backward != OpState::idle) return false;
  // A compensation has no business no: nothing but success ends it.
  if (record.outcome == OutcomeKind::success) {
    state = OpState::succeeded;
    ++(is_forward(record.op) ? transaction.succeeded : transaction.undone);
  } else if (record.outcome == OutcomeKind::failure && is_forward(record.op)) {
    state = OpState::failed;
  }
  ++(is_forward(record.op) ? branch.attempts_forward : branch.attempts_backward);
  const bool answered = record.outcome == OutcomeKind::success ||
                        record.outcome == OutcomeKind::ongoing ||
                        (record.outcome == OutcomeKind::failure && is_forward(record.op));
  branch.unanswered = answered ? 0 : branch.unanswered + 1;
  branch.due_at = record.due_at;
  branch.parked = false;
  keep_text(branch.last_error, record.text);
  return true;
}

bool apply_finished(Transaction& transaction, Status status) {
  if (!is_final(status) || !may_go_to(transaction, status)) return false;
  if (status == Status::succeed && transaction.succeeded != transaction.branches.size())
    return false;
  if (status == Status::failed && transaction.undone != transaction.begun) return false;
  transaction.status = status;
  return true;
}

bool apply_aborting(Transaction& transaction, std::string_view why) {
  if (!may_go_to(transaction, Status::aborting)) return false;
  transaction.status = Status::aborting;
  keep_text(transaction.reason, why);
  return true;
}

bool apply_to_branch(Transaction& transaction, const Record& record) {
  if (record.branch >= transaction.branches.size()) return false;
  auto& branch = transaction.branches[record.branch];
  switch (record.kind) {
    case RecordKind::started: return apply_started(transaction, branch, record.op);
    case RecordKind::answered: return apply_answered(transaction, branch, record);
    case RecordKind::parked:
      if (!is_pending(transaction, branch) || record.op != current_op(transaction)) return false;
      branch.parked = true;
      branch.due_at = 0;  // it waits for its handler, not for a time
      keep_text(branch.last_error, record.text);
      return true;
    case RecordKind::submitted:
    case RecordKind::aborting:
    case RecordKind::finished: break;
  }
  return false;
}

bool apply_by_kind(Transaction& transaction, const Record& record) {
  switch (record.kind) {
    case RecordKind::started:
    case RecordKind::answered:
    case RecordKind::parked: return apply_to_branch(transaction, record);
    case RecordKind::aborting: return apply_aborting(transaction, record.text);
    case RecordKind::finished: return apply_finished(transaction, record.status);
    case RecordKind::submitted: break;
  }
  return false;
}

}  // namespace

Result<Transaction> begin(const Record& submitted) {
  if (submitted.kind != RecordKind::submitted) {
    return Error{ErrorCode::corrupt,
                 "transaction " + std::to_string(submitted.id) + " does not begin with a submit"};
  }
  auto definition = Definition::parse(std::string(submitted.text));
  if (!definition) return definition.error();
  return begin(submitted, std::move(*definition));
}

Transaction begin(const Record& submitted, Definition definition) {
  Transaction transaction;
  transaction.id = submitted.id;
  transaction.definition = std::move(definition);
  transaction.branches.resize(transaction.definition.branch_count());
  transaction.created_at = transaction.updated_at = submitted.at;
  append_event(transaction.timeline, transaction.created_at, submitted);
  return transaction;
}

Result<> apply(Transaction& transaction, const Record& record) {
  if (!apply_by_kind(transaction, record)) {
    return Error{ErrorCode::corrupt, "transaction " + std::to_string(transaction.id) + " (" +
                                         std::string(name_of(transaction.status)) +
                                         ") cannot take record kind " +
                                         std::to_string(static_cast<unsigned>(record.kind)) +
                                         " of branch " + std::to_string(record.branch + 1)};
  }
  transaction.updated_at = record.at;
  append_event(transaction.timeline, transaction.created_at, record);
  return {};
}

}  // namespace belay::core
