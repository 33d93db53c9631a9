#include "orders.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace belay::sim {
namespace {

constexpr char kEdited = '|';
constexpr const char* kReason = "its operator says so";

Verb pick_verb(test::Random& random) {
  return random.one_of<Verb>({Verb::stop, Verb::replay, Verb::replay, Verb::back, Verb::back,
                              Verb::back, Verb::resolve, Verb::resolve, Verb::resolve,
                              Verb::resolve, Verb::edit, Verb::edit, Verb::edit, Verb::edit});
}

std::string branch_id(std::uint32_t branch) { return fmt::format("{:02}", branch + 1); }

Changes changes_of(const Order& order) {
  Changes changes;
  changes.payload = order.payload;
  changes.target = order.target;
  return changes;
}

engine::WordRequest::Word word_of(Verb verb) {
  using Word = engine::WordRequest::Word;
  switch (verb) {
    case Verb::stop: return Word::stop;
    case Verb::back: return Word::back;
    case Verb::resolve: return Word::resolve;
    case Verb::edit: return Word::edit;
    default: return Word::hasten;
  }
}

}  // namespace

Order make_order(test::Random& random, const OrderChoices& choices, std::uint64_t number) {
  Order order;
  order.verb = pick_verb(random);
  const auto& branch = random.one_of(choices.branches);
  order.branch = branch.number;
  order.op = random.one_of(choices.ops);
  order.fails = random.percent(30);
  if (order.verb != Verb::edit) return order;
  if (branch.payload && random.percent(70))
    order.payload = fmt::format("{}{}{}", *branch.payload, kEdited, number);
  if (!choices.targets.empty() && (!order.payload || random.percent(40)))
    order.target = random.one_of(choices.targets);
  if (!order.payload && !order.target) order.verb = Verb::replay;
  return order;
}

std::string_view unedited(std::string_view payload) {
  return payload.substr(0, payload.find(kEdited));
}

engine::WordRequest to_word(const std::string& gid, const Order& order,
                            base::Callback<Report> done) {
  return {.gid = gid,
          .word = word_of(order.verb),
          .reason = kReason,
          .done = std::move(done),
          .branch_id = branch_id(order.branch),
          .op = order.op,
          .outcome = order.fails ? OutcomeKind::failure : OutcomeKind::success,
          .changes = std::make_shared<const Changes>(changes_of(order))};
}

Request to_request(const std::string& gid, const Order& order) {
  return {.verb = order.verb,
          .gid = gid,
          .reason = kReason,
          .branch_id = branch_id(order.branch),
          .op = order.op,
          .outcome = order.fails ? OutcomeKind::failure : OutcomeKind::success,
          .changes = changes_of(order)};
}

std::string describe(const Order& order) {
  auto text = std::string(name_of(order.verb));
  if (order.verb != Verb::resolve && order.verb != Verb::edit) return text;
  text += fmt::format(" {} {}", branch_id(order.branch), name_of(order.op));
  if (order.verb == Verb::resolve) text += order.fails ? " as failure" : " as success";
  if (order.payload) text += fmt::format(" payload '{}'", *order.payload);
  if (order.target) text += fmt::format(" target {}", *order.target);
  return text;
}

bool left_nothing(ErrorCode code) {
  return code != ErrorCode::commit_unknown && code != ErrorCode::closed &&
         code != ErrorCode::superseded;
}

template <class Predicate>
bool OrderBook::any_of(Predicate predicate) const {
  return std::any_of(orders_.begin(), orders_.end(),
                     [&](const auto& order) { return predicate(*order); });
}

Order& OrderBook::ask(Order order) {
  order.sent = ++moment_;
  return *orders_.emplace_back(std::make_unique<Order>(std::move(order)));
}

void OrderBook::process_died() {
  ++moment_;
  for (auto& order : orders_) order->process_died(moment_);
}

namespace {

bool turns_back(const Order& order) {
  return order.verb == Verb::back || (order.verb == Verb::resolve && order.fails);
}

bool resolves(const Order& order, std::uint32_t branch, Op op) {
  return order.verb == Verb::resolve && !order.fails && order.branch == branch && order.op == op;
}

}  // namespace

bool OrderBook::may_have_decided() const {
  return any_of([](const Order& order) {
    return order.may() && order.verb != Verb::replay && order.verb != Verb::edit;
  });
}

bool OrderBook::may_turn_back() const {
  return any_of([](const Order& order) { return turns_back(order) && order.may(); });
}

bool OrderBook::must_turn_back() const {
  return any_of([](const Order& order) { return turns_back(order) && order.must(); });
}

bool OrderBook::may_be_stopped() const {
  return any_of([](const Order& order) { return order.verb == Verb::stop && order.may(); });
}

bool OrderBook::must_be_stopped() const {
  return any_of([](const Order& order) { return order.verb == Verb::stop && order.must(); });
}

bool OrderBook::may_have_succeeded(std::uint32_t branch, Op op) const {
  return any_of([&](const Order& order) { return resolves(order, branch, op) && order.may(); });
}

bool OrderBook::must_have_succeeded(std::uint32_t branch, Op op) const {
  return any_of([&](const Order& order) { return resolves(order, branch, op) && order.must(); });
}

bool OrderBook::may_have_succeeded(Op op) const {
  return any_of(
      [&](const Order& order) { return resolves(order, order.branch, op) && order.may(); });
}

// By an edit that surely came after this one, and that surely took effect.
bool OrderBook::is_overwritten(const Asked& value, std::uint32_t branch, std::optional<Op> op,
                               Field field) const {
  return any_of([&](const Order& order) {
    return order.branch == branch && order.*field && (!op || order.op == *op) && order.must() &&
           value.is_before(order);
  });
}

bool OrderBook::is_payload(std::uint32_t branch, std::string_view first, std::string_view payload) {
  const auto field = &Order::payload;
  if (payload == first) return !is_overwritten({.done = 0}, branch, std::nullopt, field);
  for (auto& order : orders_) {
    if (order->branch != branch || order->payload != payload) continue;
    if (!order->may() || is_overwritten(*order, branch, std::nullopt, field)) return false;
    accepted(*order);
    return true;
  }
  return false;
}

bool OrderBook::is_target(std::uint32_t branch, Op op, std::string_view first,
                          std::string_view target) const {
  const auto field = &Order::target;
  if (target == first && !is_overwritten({.done = 0}, branch, op, field)) return true;
  return any_of([&](const Order& order) {
    return order.branch == branch && order.op == op && order.target == target && order.may() &&
           !is_overwritten(order, branch, op, field);
  });
}

}  // namespace belay::sim
