// Transactions that go on by their caller's word: branches are added one by one, then it is
// submitted or aborted.
#include <utility>

#include "base/mark.h"
#include "engine/coordinator.h"

namespace belay::engine {

void Coordinator::meet(Live& live, BranchRequest& request) {
  resume(live);
  if (const auto may = core::may_add_branch(live.transaction, request.step); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  const auto count = live.transaction.branches.size();
  if (count >= options_.limits.branches_max) {
    return refuse(
        request.done, ErrorCode::branches_limit,
        fmt::format("the {} has {} branches, the limit is {}", name_of(live.transaction.mode()),
                    count, options_.limits.branches_max));
  }
  const auto bytes = live.transaction.definition.bytes().size() +
                     live.transaction.definition.added().size() + request.step.size();
  if (bytes > options_.limits.definition_bytes_max) {
    return refuse(request.done, ErrorCode::definition_limit,
                  fmt::format("with this branch the definition has {} bytes, the limit is {}",
                              bytes, options_.limits.definition_bytes_max));
  }
  const auto memory = sizeof(core::Branch) + sizeof(BranchWaiter) + request.step.size();
  if (const auto may = may_grow(live, memory); !may)
    return refuse(request.done, may.error().code, may.error().detail);
  if (!live.branch_waiters) live.branch_waiters = std::make_unique<std::vector<BranchWaiter>>();
  live.branch_waiters->push_back(
      {.branch = static_cast<std::uint32_t>(count), .done = std::move(request.done)});
  decide(live, core::Added{request.step});
}

void Coordinator::meet(Live& live, WordRequest& request) {
  if (request.word == WordRequest::Word::stop) return stop(live, request);
  if (request.word == WordRequest::Word::hasten) return hasten(live, request);
  resume(live);
  const auto status = live.transaction.status;
  const auto until = request.timeout_ms == 0 ? 0 : time_.monotonic() + request.timeout_ms;
  Waiter waiter{std::move(request.done), request.wants_final, until};
  if (request.word == WordRequest::Word::submit) {
    if (status == Status::prepared) return submit_word(live, request.delay, std::move(waiter));
    waiter.joined = true;
    if (status == Status::submitted || status == Status::succeed) {
      if (const auto may = may_wait(live, waiter.wants_final); !may)
        return refuse(waiter.done, may.error().code, may.error().detail);
      return add_waiter(live, std::move(waiter));
    }
    const auto may = core::may_submit(live.transaction);
    return refuse(waiter.done, may.error().code, may.error().detail);
  }
  if (status == Status::aborting || status == Status::failed) {
    waiter.joined = true;
    return add_waiter(live, std::move(waiter));
  }
  if (const auto may = core::may_abort(live.transaction); !may)
    return refuse(waiter.done, may.error().code, may.error().detail);
  decide_word(live, core::WordAbort{request.reason}, std::move(waiter));
}

void Coordinator::recall(const ports::StoredSummary& stored, BranchRequest& request) {
  forbid(stored, request.done);
}

// A word that was given before, by the same caller or another, is no other word.
void Coordinator::recall(const ports::StoredSummary& stored, WordRequest& request) {
  using enum WordRequest::Word;
  const bool said_so = (request.word == submit && stored.status == Status::succeed) ||
                       (request.word == abort && stored.status == Status::failed);
  if (!said_so) return forbid(stored, request.done);
  request.done(report_of(stored));
}

void Coordinator::submit_word(Live& live, Millis delay, Waiter waiter) {
  if (delay.count() != 0 && live.transaction.mode() != Mode::msg)
    return refuse(waiter.done, ErrorCode::invalid_argument, "only a message can be delayed");
  if (const auto may = core::may_submit(live.transaction); !may)
    return refuse(waiter.done, may.error().code, may.error().detail);
  if (const auto topics = subscriptions_.check(live.transaction.definition);
      !topics && topics.error().code == ErrorCode::branches_limit)
    return refuse(waiter.done, topics.error().code, topics.error().detail);
  decide_word(live, core::WordSubmit{delay}, std::move(waiter));
}

void Coordinator::decide_word(Live& live, const core::Event& event, Waiter waiter) {
  decide(live, event);
  add_waiter(live, std::move(waiter));
}

// Other branches may go on before this decision is on disk, and what is told is what it said.
void Coordinator::note_branches(Live& live) {
  if (!live.branch_waiters) return;
  for (auto& waiter : *live.branch_waiters) {
    if (waiter.outcome) continue;
    waiter.outcome = core::first_phase_outcome(live.transaction, waiter.branch);
    waiter.lsn = live.last_lsn;
  }
}

// Those whose branch has come to an end of its first phase, on disk, hear how.
void Coordinator::tell_branches(Live& live) {
  if (!live.branch_waiters) return;
  // A callback may bring new requests, but those come by the inbox: the list does not change under
  // us.
  auto waiters = std::move(*live.branch_waiters);
  live.branch_waiters->clear();
  for (auto& waiter : waiters) {
    if (waiter.outcome && waiter.lsn <= durable_lsn_) {
      if (waiter.outcome->kind() == OutcomeKind::unknown) BELAY_MARK(branch_told_by_abort);
      waiter.done(std::move(*waiter.outcome));
    } else {
      live.branch_waiters->push_back(std::move(waiter));
    }
  }
}

void Coordinator::end_branch_waits(Live& live, const Error& error) {
  if (!live.branch_waiters) return;
  const auto waiters = std::move(live.branch_waiters);
  for (const auto& waiter : *waiters) waiter.done(error);
}

}  // namespace belay::engine
