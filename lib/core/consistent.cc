#include "core/consistent.h"

#include <algorithm>

#include "core/ops.h"

namespace belay::core {
namespace {

template <class Holds>
bool every(const Transaction& transaction, Holds holds) {
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    if (!transaction.definition.is_query(i) && !holds(transaction.branches[i])) return false;
  }
  return true;
}

bool untouched(const Branch& branch) { return branch.first == OpState::idle; }
bool first_done(const Branch& branch) { return branch.first == OpState::succeeded; }
bool second_idle(const Branch& branch) { return branch.second == OpState::idle; }
bool second_done(const Branch& branch) { return branch.second == OpState::succeeded; }
bool undone(const Branch& branch) { return untouched(branch) || second_done(branch); }
bool second_has_first(const Branch& branch) {
  return branch.second != OpState::failed && (second_idle(branch) || !untouched(branch));
}
bool never_refused(const Branch& branch) { return branch.first != OpState::failed; }

bool fits_saga(const Transaction& transaction) {
  switch (transaction.status) {
    case Status::prepared: return every(transaction, untouched);
    case Status::submitted: return every(transaction, second_idle);
    case Status::aborting: return true;
    case Status::succeed: return every(transaction, first_done) && every(transaction, second_idle);
    case Status::failed: return every(transaction, undone);
  }
  return false;
}

bool fits_two_phase(const Transaction& transaction) {
  switch (transaction.status) {
    case Status::prepared: return every(transaction, second_idle);
    case Status::submitted: return every(transaction, first_done);
    case Status::aborting: return true;
    case Status::succeed: return every(transaction, first_done) && every(transaction, second_done);
    case Status::failed: return every(transaction, undone);
  }
  return false;
}

bool fits_msg(const Transaction& transaction) {
  if (!every(transaction, second_idle) || !every(transaction, never_refused)) return false;
  switch (transaction.status) {
    case Status::submitted: return true;
    case Status::succeed: return every(transaction, first_done);
    case Status::prepared:
    case Status::aborting:
    case Status::failed: return every(transaction, untouched);
  }
  return false;
}

// Its one branch is the callback, which comes to no end of its own. It ends when its owner has said
// so.
bool fits_workflow(const Transaction& transaction) {
  if (transaction.branches.size() != 1) return false;
  const auto& callback = transaction.branches.front();
  const bool is_open = callback.first == OpState::idle || callback.first == OpState::started;
  return is_open && second_idle(callback) &&
         (transaction.status == Status::prepared ||
          (transaction.concluded && transaction.finished()));
}

// For each branch those that it waits for when it goes forward.
Graph order_of(const Definition& definition) {
  if (definition.shape() == Shape::graph) return definition.graph();
  Graph order(definition.branch_count());
  if (definition.shape() == Shape::sequential)
    for (std::uint32_t i = 1; i < order.size(); ++i) order[i] = {i - 1};
  return order;
}

// A branch begins when those before it have succeeded.
bool began_in_order(const Transaction& transaction, const Graph& order) {
  const auto& branches = transaction.branches;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    if (untouched(branches[i])) continue;
    const bool had_to_wait = std::any_of(order[i].begin(), order[i].end(), [&](auto before) {
      return !first_done(branches[before]);
    });
    if (had_to_wait) return false;
  }
  return true;
}

// A branch is confirmed after those before it; it is undone after those behind it that have begun.
bool ended_in_order(const Transaction& transaction, const Graph& order, bool commits) {
  const auto& branches = transaction.branches;
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    for (const auto before : order[i]) {
      const auto& sooner = branches[commits ? before : i];
      const auto& later = branches[commits ? i : before];
      if (!second_idle(later) && !untouched(sooner) && !second_done(sooner)) return false;
    }
  }
  return true;
}

// A branch that was called before its transaction turned back is undone when that call has
// returned.
bool undo_waits(const Transaction& transaction, const Branch& branch) {
  return transaction.status == Status::aborting && branch.first == OpState::started &&
         branch.second == OpState::idle;
}

}  // namespace

bool fits_mode(const Transaction& transaction) {
  if (!every(transaction, second_has_first)) return false;
  if (transaction.stopped && transaction.finished()) return transaction.status == Status::failed;
  switch (transaction.mode()) {
    case Mode::saga: return fits_saga(transaction);
    case Mode::tcc:
    case Mode::xa: return fits_two_phase(transaction);
    case Mode::msg: return fits_msg(transaction);
    case Mode::workflow: return fits_workflow(transaction);
  }
  return false;
}

bool is_consistent(const Transaction& transaction) {
  if (!fits_mode(transaction)) return false;
  if (transaction.finished()) return true;  // nothing goes on from it
  if (transaction.concluded) return false;  // its end is recorded in the same step
  const auto mode = transaction.mode();
  if (mode == Mode::msg || mode == Mode::workflow) return true;
  const auto order = order_of(transaction.definition);
  // The branches of a driven tcc or xa begin as they are registered.
  const bool registers = transaction.driven && mode != Mode::saga;
  if (!registers && !began_in_order(transaction, order)) return false;
  const bool commits = ops_of(mode).commits && transaction.status == Status::submitted;
  return ended_in_order(transaction, order, commits);
}

bool will_wake(const Transaction& transaction) {
  if (transaction.finished() || next_due(transaction) != 0) return true;
  if (awaits_word_only(transaction) || transaction.stopped) return true;
  for (std::uint32_t i = 0; i < transaction.branches.size(); ++i) {
    if (is_pending(transaction, i) || undo_waits(transaction, transaction.branches[i])) return true;
  }
  return false;
}

}  // namespace belay::core
