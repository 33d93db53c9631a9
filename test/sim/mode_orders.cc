// What an operator asks of everything but sagas, and is told.
#include "core/ops.h"
#include "mode_clients.h"

namespace belay::sim {

// A branch that was registered later has an id that only its calls tell.
OrderChoices ModeClients::choices_of(const Known& known,
                                     const std::vector<std::string>& targets) const {
  const auto& spec = known.book->spec;
  const auto& ops = core::ops_of(spec.mode);
  OrderChoices choices;
  const auto add = [&](std::size_t number, const std::string& payload) {
    choices.branches.push_back({static_cast<std::uint32_t>(number), payload});
  };
  if (spec.mode == Mode::msg) {
    choices.ops = {Op::action};
    for (std::size_t i = 0; i < spec.deliveries.size(); ++i) add(i, spec.deliveries[i].payload);
    for (const auto& [id, calls] : known.book->calls)
      if (!calls.is_query && id >= spec.deliveries.size())
        add(id, spec.deliveries[calls.index].payload);
  } else {
    choices.ops = {ops.first, ops.commit, ops.rollback};
    for (const auto& [id, calls] : known.book->calls) add(id, spec.branches[calls.index].payload);
    if (known.book->calls.empty() && !spec.driven) add(0, spec.branches.front().payload);
  }
  // Subscribers are told apart by their targets.
  if (spec.mode != Mode::msg || plan_.others.topics == 0) choices.targets = targets;
  return choices;
}

void ModeClients::order(test::Random& random, const std::vector<std::string>& targets,
                        std::uint64_t number, PostBox* box) {
  if (all_.empty()) return;
  auto& known = *pick_open(all_, random);
  auto choices = choices_of(known, targets);
  if (!known.book->spec.query.empty() && random.percent(50)) {
    constexpr auto kBackCheck = ~std::uint32_t{0};
    choices.branches = {{kBackCheck, std::nullopt}};
    choices.ops = {Op::query};
    choices.targets = targets;
  }
  if (choices.branches.empty()) choices.branches.push_back({0, std::nullopt});
  auto drawn = make_order(random, choices, number);
  // `operator_word` stops directly.
  if (box == nullptr && (engine_ == nullptr || drawn.verb == Verb::stop)) return;
  drawn.posted = box != nullptr;
  auto& order = known.book->orders.ask(std::move(drawn));
  const bool commits = order.verb == Verb::resolve && order.op == Op::query && !order.fails;
  if (commits) ledger_.may_go(*known.book);
  world_.note("operator: {} {}{}", known.gid(), describe(order), order.posted ? ", posted" : "");
  if (box != nullptr) {
    return box->post(to_request(known.gid(), order),
                     [this, &known, &order, was_accepted = known.accepted](const Posted& posted) {
                       told_posted(known, order, was_accepted, posted);
                     });
  }
  auto one = request(Kind::order, known);
  one->order = &order;
  sent(one, engine_->ask(to_word(known.gid(), order, [this, one](const Result<Report>& result) {
    heard(one, result);
  })));
}

void ModeClients::told_order(Known& known, Order& order, const Result<>& result) {
  auto& orders = known.book->orders;
  if (!result) {
    if (!left_nothing(result.error().code)) return;
    if (order.must()) world_.fail(known.gid() + ": an edit is refused, and a call has shown it");
    return orders.refused(order);
  }
  orders.accepted(order);
  const bool fails = order.verb == Verb::resolve && order.fails;
  if (fails && !core::takes_no(known.book->spec.mode, order.op))
    world_.fail(known.gid() + ": what can only succeed was said to have failed");
  // The caller of a driven branch hears of its failure, and decides.
  const bool decides = fails && (order.op == Op::query || !known.book->spec.driven);
  const bool turned_back = decides || order.verb == Verb::back;
  const bool may_be_stopped = known.book->may_be_stopped() || known.book->stopped;
  if (turned_back && !may_be_stopped) ledger_.told(*known.book, Status::aborting);
}

// Only what waiting cannot change is an answer.
void ModeClients::told_posted(Known& known, Order& order, bool was_accepted, const Posted& posted) {
  if (posted.forgotten) return known.book->orders.is_over(order);
  if (posted.unposted) return known.book->orders.refused(order);
  if (!posted.refused) return told_order(known, order, {});
  const auto code = *posted.refused;
  const bool is_msg = known.book->spec.mode == Mode::msg && plan_.others.topics != 0;
  const bool is_of_topics =
      is_msg && (code == ErrorCode::no_subscriber || code == ErrorCode::invalid_argument);
  if (code != ErrorCode::forbidden && code != ErrorCode::not_found && !is_of_topics)
    world_.fail(fmt::format("{}: the answer in a row is {}", known.gid(), name_of(code)));
  if (code == ErrorCode::not_found && was_accepted && !plan_.forgets())
    world_.fail(known.gid() + ": was accepted and is not known to who posts");
  told_order(known, order, Error{code, "by its row"});
}

}  // namespace belay::sim
