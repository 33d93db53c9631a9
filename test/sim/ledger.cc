#include "ledger.h"

#include <algorithm>
#include <charconv>

namespace belay::sim {
namespace {

std::size_t index_of(Op op) { return op == Op::action ? 0 : 1; }

bool waits_for(const SagaSpec& spec, std::uint32_t branch, std::uint32_t other) {
  const auto& after = spec.branches[branch].after;
  return std::find(after.begin(), after.end(), other) != after.end();
}

}  // namespace

std::uint32_t Ledger::branch_of(std::string_view branch_id) {
  std::uint32_t number = 0;
  std::from_chars(branch_id.data(), branch_id.data() + branch_id.size(), number);
  return number - 1;
}

void Ledger::add(SagaSpec spec) {
  SagaBook book;
  const auto gid = spec.saga.gid();
  book.branches.resize(spec.branches.size());
  book.spec = std::move(spec);
  // An empty target succeeds without a call.
  for (std::size_t i = 0; i < book.branches.size(); ++i) {
    book.branches[i].succeeded[0] = book.spec.saga.steps()[i].action.empty();
    book.branches[i].succeeded[1] = book.spec.saga.steps()[i].compensate.empty();
  }
  sagas_.emplace(gid, std::move(book));
}

void Ledger::complain(std::string_view gid, std::uint32_t branch, std::string_view what) {
  world_.fail(fmt::format("{} branch {:02}: {}", gid, branch + 1, what));
}

std::uint64_t Ledger::on_call(const Call& call) {
  const auto found = sagas_.find(call.gid);
  const auto branch = branch_of(call.branch_id);
  if (found == sagas_.end() || branch >= found->second.branches.size()) {
    complain(call.gid, branch, "called, and nobody ever submitted it");
    return 0;
  }
  auto& book = found->second;
  if (book.stopped || book.orders.must_be_stopped())
    complain(call.gid, branch, "called after its end was told");
  check_parts(book, branch, call);
  check_edits(book, branch, call);
  if (call.op == Op::action) {
    check_forward(book, branch, call);
  } else {
    check_backward(book, branch, call);
    book.turned_back = true;
  }
  auto& branch_book = book.branches[branch];
  ++branch_book.called[index_of(call.op)];
  branch_book.last_fence = call.fence;
  branch_book.open = true;
  branch_book.open_op = call.op;
  branch_book.open_life = world_.life();
  branch_book.open_until_ms = world_.now_ms() + static_cast<std::uint64_t>(call.timeout.count());
  return ++branch_book.number;
}

void Ledger::check_parts(const SagaBook& book, std::uint32_t branch, const Call& call) {
  const auto& branch_book = book.branches[branch];
  if (book.may_exist <= 0) complain(call.gid, branch, "called, though its submit was refused");
  if (call.custom_data != book.spec.saga.settings().custom_data)
    complain(call.gid, branch, "wrong custom data");
  if (call.fence <= branch_book.last_fence) {
    complain(call.gid, branch,
             fmt::format("fence {} after {}", call.fence, branch_book.last_fence));
  }
  if (call.attempt < 1 || call.attempt > branch_book.called[index_of(call.op)] + 1) {
    complain(call.gid, branch,
             fmt::format("attempt {} is call number {}", call.attempt,
                         branch_book.called[index_of(call.op)] + 1));
  }
  if (branch_book.open && branch_book.open_life == world_.life() &&
      world_.now_ms() < branch_book.open_until_ms) {
    complain(call.gid, branch, "called while a call of its own is in flight");
  }
  if (branch_book.succeeded_in_life[index_of(call.op)] == world_.life()) {
    complain(call.gid, branch, fmt::format("{} called again after its success", name_of(call.op)));
  }
}

// A branch without a target that was given one is called, or has succeeded before without.
void Ledger::check_edits(SagaBook& book, std::uint32_t branch, const Call& call) {
  const auto& step = book.spec.saga.steps()[branch];
  const auto& target = call.op == Op::action ? step.action : step.compensate;
  if (!book.orders.is_target(branch, call.op, target, call.target))
    complain(call.gid, branch, fmt::format("wrong target {}", call.target));
  if (!book.orders.is_payload(branch, step.payload, call.payload))
    complain(call.gid, branch, fmt::format("wrong payload '{}'", call.payload));
  if (book.orders.must_have_succeeded(branch, call.op))
    complain(call.gid, branch, "called after its operator said that it succeeded");
}

void Ledger::check_forward(const SagaBook& book, std::uint32_t branch, const Call& call) {
  if (book.turned_back) complain(call.gid, branch, "called forward after a compensation");
  if (book.orders.must_turn_back())
    complain(call.gid, branch, "called forward after its operator turned it back");
  for (const auto before : book.spec.branches[branch].after) {
    if (!book.may_have_succeeded(before, Op::action)) {
      complain(call.gid, branch,
               fmt::format("called before branch {:02} said success", before + 1));
    }
  }
}

void Ledger::check_backward(const SagaBook& book, std::uint32_t branch, const Call& call) {
  if (!book.may_turn_back()) complain(call.gid, branch, "compensated, and nothing had gone wrong");
  for (const auto before : book.spec.branches[branch].after) {
    if (!book.may_have_succeeded(before, Op::action)) {
      complain(call.gid, branch,
               fmt::format("compensated, and branch {:02}, which it waits for, never succeeded",
                           before + 1));
    }
  }
  for (std::uint32_t other = 0; other < book.branches.size(); ++other) {
    const auto& later = book.branches[other];
    const bool is_undone = book.may_have_succeeded(other, Op::compensate);
    if (!waits_for(book.spec, other, branch) || later.called[0] == 0 || is_undone) continue;
    complain(call.gid, branch,
             fmt::format("compensated before branch {:02}, which came after it", other + 1));
  }
}

void Ledger::on_answer(const std::string& gid, std::uint32_t branch, std::uint64_t number,
                       OutcomeKind outcome) {
  auto& book = sagas_.at(gid);
  auto& branch_book = book.branches[branch];
  // Answered before, or given up for a newer call: the engine drops it.
  if (!branch_book.open || branch_book.number != number) return;
  branch_book.open = false;
  const auto op = branch_book.open_op;
  if (outcome == OutcomeKind::success) {
    branch_book.succeeded[index_of(op)] = true;
    // A late one may have been given up already.
    if (world_.now_ms() < branch_book.open_until_ms)
      branch_book.succeeded_in_life[index_of(op)] = world_.life();
  }
  if (outcome == OutcomeKind::failure && op == Op::action) book.heard_failure = true;
}

Outcome Ledger::execute(const std::string& gid, std::uint32_t branch, Op op) {
  auto& book = sagas_.at(gid);
  auto& branch_book = book.branches[branch];
  if (op == Op::compensate) {
    branch_book.barrier_compensate = true;
    branch_book.applied = 0;
    return Outcome::success();
  }
  const bool guarded = planted_ != Planted::no_barrier;
  if (guarded && branch_book.barrier_compensate)
    return Outcome::failure("undone before it was done");
  if (book.spec.branches[branch].refuses) {
    return planted_ == Planted::wrong_answer ? Outcome::success()
                                             : Outcome::failure("refused by the bank");
  }
  if (!guarded || !branch_book.barrier_action) ++branch_book.applied;
  branch_book.barrier_action = true;
  return Outcome::success();
}

void Ledger::check_final(const std::string& gid, Status status) {
  auto& book = sagas_.at(gid);
  if ((book.stop_sent || book.orders.may_be_stopped()) && status == Status::failed) {
    book.stopped = true;  // nothing is promised but that this is the end
    return;
  }
  if (status == Status::succeed && book.turned_back)
    complain(gid, 0, "succeeded, and was compensated");
  if (status == Status::succeed && (book.orders.must_turn_back() || book.orders.must_be_stopped()))
    complain(gid, 0, "succeeded, and its operator had ended it");
  if (status == Status::failed && !book.may_turn_back())
    complain(gid, 0, "failed, and nothing had gone wrong");
  if (status == Status::failed && book.stays_forward)
    complain(gid, 0, "failed, and its operator was told that it cannot turn back");
  for (std::uint32_t i = 0; i < book.branches.size(); ++i) {
    const auto& branch_book = book.branches[i];
    const auto& step = book.spec.saga.steps()[i];
    if (step.action.empty()) continue;
    // What an operator says need not be so: nothing is promised of that branch's amount.
    const auto last_op = status == Status::succeed ? Op::action : Op::compensate;
    if (book.orders.may_have_succeeded(i, last_op)) continue;
    if (status == Status::succeed) {
      if (branch_book.applied != 1)
        complain(gid, i, fmt::format("succeeded, and was applied {} times", branch_book.applied));
      if (!branch_book.succeeded[0]) complain(gid, i, "succeeded without the bank's word");
    } else if (!step.compensate.empty()) {
      if (branch_book.applied != 0) complain(gid, i, "failed, and is still applied");
      if (branch_book.called[0] != 0 && !branch_book.succeeded[1])
        complain(gid, i, "failed, and was never undone");
    }
  }
}

void Ledger::check_forgotten(const std::string& gid) {
  const auto& book = sagas_.at(gid);
  if (book.stop_sent || book.orders.may_have_decided()) return;  // it may have ended either way
  const bool all_succeeded =
      std::all_of(book.branches.begin(), book.branches.end(),
                  [](const BranchBook& branch) { return branch.succeeded[0]; });
  check_final(gid, all_succeeded && !book.turned_back ? Status::succeed : Status::failed);
}

bool Ledger::was_called(const std::string& gid) const {
  const auto& branches = sagas_.at(gid).branches;
  return std::any_of(branches.begin(), branches.end(), [](const BranchBook& branch) {
    return branch.called[0] + branch.called[1] != 0;
  });
}

}  // namespace belay::sim
