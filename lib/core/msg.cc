// The machine for messages.
//
//   prepared ──── its caller submits, or the back-check answers success ───► submitted
//       │ its caller aborts, the back-check answers failure, or                  │ every target
//       │ the deadline comes and there is no back-check                          │ has succeeded
//       ▼                                                                        ▼
//   aborting ──────────────────────────────────► failed                       succeed
//
// The back-check is called when the message was neither submitted nor aborted by the deadline, and
// again until it answers. The machine waits in prepared for the caller's decision, the deadline,
// the back-check's call or a retry's time; in submitted for a delayed start, a call or a retry's
// time; at the end for a back-check that is still in flight. Everything else happens at once. A
// delivery cannot be undone: it is repeated until it succeeds.
#include "base/mark.h"
#include "core/decision.h"
#include "core/phases.h"

namespace belay::core {
namespace {

bool query_is_out(const Decision& decision) {
  const auto query = decision.transaction().definition.query();
  return query && decision.branch(*query).in_flight;
}

// A back-check that is still in flight must return first.
void end(Decision& decision, Status status) {
  if (query_is_out(decision)) return BELAY_MARK(query_out_at_end);
  decision.finish(status);
}

// Starts the next delivery if the deliveries run one after the other. The subscribers of a topic
// are delivered at the topic's place in the order.
void deliver_in_order(Decision& decision) {
  const auto& definition = decision.transaction().definition;
  const auto deliver = [&](std::uint32_t i) {
    if (decision.branch(i).first == OpState::idle) decision.start(i, Op::action);
    return decision.branch(i).first == OpState::succeeded;
  };
  std::uint32_t subscriber = 0;
  while (subscriber < decision.branch_count() && !definition.parent(subscriber)) ++subscriber;
  const auto asked = subscriber;
  for (std::uint32_t i = 0; i < asked; ++i) {
    if (definition.is_query(i)) continue;
    if (!deliver(i)) return;
    for (; subscriber < decision.branch_count() && definition.parent(subscriber) == i; ++subscriber)
      if (!deliver(subscriber)) return;
  }
}

void deliver_at_once(Decision& decision) {
  for (std::uint32_t i = 0; i < decision.branch_count(); ++i) {
    const bool idle = decision.branch(i).first == OpState::idle;
    if (idle && !decision.transaction().definition.is_query(i)) decision.start(i, Op::action);
  }
}

void deliver(Decision& decision) {
  const auto& transaction = decision.transaction();
  if (transaction.begun == 0 && !decision.is_time(transaction.start_at)) return;
  transaction.definition.shape() == Shape::sequential ? deliver_in_order(decision)
                                                      : deliver_at_once(decision);
  if (transaction.succeeded == work_count(transaction)) end(decision, Status::succeed);
}

void give_up(Decision& decision) { end(decision, Status::failed); }

void await_word(Decision& decision) {
  const auto& transaction = decision.transaction();
  const auto query = transaction.definition.query();
  if (!query) {
    if (turned_back_by_deadline(decision)) give_up(decision);
    return;
  }
  const auto deadline = deadline_of(transaction);
  if (deadline != 0 && deadline <= decision.now()) decision.start(*query, Op::query);
}

void msg_due(Decision& decision) {
  switch (decision.transaction().status) {
    case Status::prepared: await_word(decision); break;
    case Status::submitted: deliver(decision); break;
    case Status::aborting: give_up(decision); break;
    case Status::succeed:
    case Status::failed: break;
  }
}

// Since the prepare a topic may have lost all its subscribers, or have got more than a
// transaction's row can hold. What is committed cannot be refused: so the back-check is called
// again, until the message can go to all. The record refers to the outcome's text, so these live
// as long as the process.
const Outcome& unless_it_waits(const Decision& decision, const Outcome& outcome) {
  static const auto to_nobody =
      Outcome::unknown("committed, but nobody is subscribed to its topic: it waits");
  static const auto too_large = Outcome::unknown(
      "committed, but its topics have more subscribers than Limits::branches_max: it waits");
  if (outcome.kind() != OutcomeKind::success) return outcome;
  switch (decision.fan_out_now()) {
    case FanOut::possible: break;
    case FanOut::to_nobody: return to_nobody;
    case FanOut::too_large: return too_large;
  }
  return outcome;
}

// The back-check's answer decides only if the caller has not decided.
void on_query_answered(Decision& decision, std::uint32_t branch, const Outcome& outcome) {
  if (decision.transaction().status != Status::prepared) {
    decision.answered(branch, Op::query, outcome, 0);
    return msg_due(decision);
  }
  if (outcome.kind() == OutcomeKind::failure) {
    decision.answered(branch, Op::query, outcome, 0);
    decision.abort(describe_branch(decision.transaction(), branch, Op::query, outcome.reason()));
    return give_up(decision);
  }
  const auto& counted = unless_it_waits(decision, outcome);
  if (!last_op_ended(decision, branch, Op::query, counted)) return;
  decision.commit();
  deliver(decision);
}

void msg_answered(Decision& decision, std::uint32_t branch, Op op, const Outcome& outcome) {
  if (op == Op::query) return on_query_answered(decision, branch, outcome);
  if (last_op_ended(decision, branch, op, outcome)) deliver(decision);
}

}  // namespace

const Machine kMsgMachine = {msg_due, msg_answered};

}  // namespace belay::core
