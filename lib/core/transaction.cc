#include "core/transaction.h"

#include <algorithm>

namespace belay::core {

namespace {

std::unique_ptr<std::string> clone(const std::unique_ptr<std::string>& text) {
  return text ? std::make_unique<std::string>(*text) : nullptr;
}

Branch clone(const Branch& branch) {
  Branch copy;
  copy.due_at = branch.due_at;
  copy.last_error = clone(branch.last_error);
  copy.attempts_forward = branch.attempts_forward;
  copy.attempts_backward = branch.attempts_backward;
  copy.unanswered = branch.unanswered;
  copy.forward = branch.forward;
  copy.backward = branch.backward;
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
  copy.created_at = transaction.created_at;
  copy.updated_at = transaction.updated_at;
  copy.begun = transaction.begun;
  copy.succeeded = transaction.succeeded;
  copy.undone = transaction.undone;
  copy.status = transaction.status;
  return copy;
}

Op current_op(const Transaction& transaction) {
  return transaction.status == Status::aborting || transaction.status == Status::failed
             ? Op::compensate
             : Op::action;
}

bool is_pending(const Transaction& transaction, const Branch& branch) {
  if (transaction.status == Status::submitted) return branch.forward == OpState::started;
  if (transaction.status == Status::aborting) return branch.backward == OpState::started;
  return false;
}

bool is_stuck(const Transaction& transaction, std::uint32_t stuck_after) {
  return std::any_of(transaction.branches.begin(), transaction.branches.end(),
                     [&](const Branch& branch) {
                       return is_pending(transaction, branch) &&
                              (branch.parked || branch.unanswered >= stuck_after);
                     });
}

std::uint32_t attempts_of(const Transaction& transaction) {
  std::uint32_t attempts = 0;
  for (const auto& branch : transaction.branches)
    attempts += branch.attempts_forward + branch.attempts_backward;
  return attempts;
}

std::string_view reason_of(const Transaction& transaction) {
  if (transaction.reason) return *transaction.reason;
  for (const auto& branch : transaction.branches) {
    if (branch.last_error && is_pending(transaction, branch)) return *branch.last_error;
  }
  return {};
}

std::uint64_t deadline_of(const Transaction& transaction) {
  if (transaction.status != Status::submitted) return 0;
  const auto timeout = transaction.definition.timeout_to_fail();
  return timeout ? transaction.created_at + static_cast<std::uint64_t>(timeout->count()) : 0;
}

std::uint64_t start_of(const Transaction& transaction) {
  return transaction.created_at +
         static_cast<std::uint64_t>(transaction.definition.delay().count());
}

std::uint64_t next_due(const Transaction& transaction) {
  if (transaction.finished()) return 0;
  std::uint64_t next = deadline_of(transaction);
  const auto earlier = [&next](std::uint64_t at) {
    if (next == 0 || at < next) next = at;
  };
  if (transaction.status == Status::submitted && transaction.begun == 0)
    earlier(start_of(transaction));
  for (const auto& branch : transaction.branches) {
    if (!branch.in_flight && !branch.parked && branch.due_at != 0 &&
        is_pending(transaction, branch)) {
      earlier(branch.due_at);
    }
  }
  return next;
}

}  // namespace belay::core
