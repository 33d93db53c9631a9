// What an operator asks of sagas, and is told.
#include "clients.h"

namespace belay::sim {

void Clients::order(test::Random& random, const std::vector<std::string>& targets,
                    std::uint64_t number, PostBox* box) {
  if (sagas_.empty()) return;
  auto& known = *pick_open(sagas_, random);
  OrderChoices choices{.branches = {}, .ops = {Op::action, Op::compensate}, .targets = targets};
  for (const auto& step : ledger_.spec(known.gid).saga.steps())
    choices.branches.push_back({static_cast<std::uint32_t>(choices.branches.size()), step.payload});
  auto drawn = make_order(random, choices, number);
  // `operator_word` stops directly.
  if (box == nullptr && (engine_ == nullptr || drawn.verb == Verb::stop)) return;
  drawn.posted = box != nullptr;
  auto& order = ledger_.orders(known.gid).ask(std::move(drawn));
  world_.note("operator: {} {}{}", known.gid, describe(order), order.posted ? ", posted" : "");
  if (box != nullptr) {
    return box->post(to_request(known.gid, order),
                     [this, &known, &order, was_accepted = known.accepted](const Posted& posted) {
                       told_posted(known, order, was_accepted, posted);
                     });
  }
  auto request = std::make_shared<Request>(
      Request{Kind::order, &known, world_.life(), false, known.accepted, &order});
  sent(request,
       engine_->ask(to_word(known.gid, order, [this, request](const Result<Report>& result) {
         heard(*request, result);
       })));
}

void Clients::told_order(Known& known, Order& order, const Result<>& result) {
  auto& orders = ledger_.orders(known.gid);
  if (result) {
    if (order.verb == Verb::resolve && order.fails && order.op == Op::compensate)
      world_.fail(known.gid + ": a compensation was said to have failed");
    return orders.accepted(order);
  }
  if (!left_nothing(result.error().code)) return;
  if (order.must()) world_.fail(known.gid + ": an edit is refused, and a call has shown it");
  orders.refused(order);
  if (order.verb == Verb::back && result.error().code == ErrorCode::forbidden)
    ledger_.stays_forward(known.gid);
}

// Only what waiting cannot change is an answer.
void Clients::told_posted(Known& known, Order& order, bool was_accepted, const Posted& posted) {
  if (posted.forgotten) return ledger_.orders(known.gid).is_over(order);
  if (posted.unposted) return ledger_.orders(known.gid).refused(order);
  if (!posted.refused) return told_order(known, order, {});
  const auto code = *posted.refused;
  if (code != ErrorCode::forbidden && code != ErrorCode::not_found)
    world_.fail(fmt::format("{}: the answer in a row is {}", known.gid, name_of(code)));
  if (code == ErrorCode::not_found && was_accepted && !plan_.forgets())
    world_.fail(known.gid + ": was accepted and is not known to who posts");
  told_order(known, order, Error{code, "by its row"});
}

void Clients::post_new(test::Random& random, PostBox& box) {
  auto spec = make_spec(sagas_.size() + 1, random);
  if (world_.failed()) return;
  auto& known = *sagas_.emplace_back(std::make_unique<Known>());
  known.gid = spec.saga.gid();
  const auto saga = spec.saga;
  ledger_.add(std::move(spec));
  ledger_.may_exist(known.gid, 1);
  ++known.posted;
  box.submit(saga, known.gid, [this, &known](const Posted& posted) { told_submit(known, posted); });
}

void Clients::told_submit(Known& known, const Posted& posted) {
  --known.posted;
  if (posted.taken()) {
    accepted_ += known.accepted ? 0 : 1;
    known.accepted = true;
    return;
  }
  if (!posted.forgotten) ledger_.may_exist(known.gid, -1);
  if (posted.refused)
    world_.fail(fmt::format("{}: its row is answered {}", known.gid, name_of(*posted.refused)));
}

}  // namespace belay::sim
