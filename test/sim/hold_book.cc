#include "hold_book.h"

#include <algorithm>
#include <utility>

namespace belay::sim {

HoldOrder& HoldBook::ask(std::string target, bool releases, bool posted) {
  auto order = std::make_unique<HoldOrder>();
  order->posted = posted;
  order->sent = ++moment_;
  order->target = std::move(target);
  order->releases = releases;
  return *orders_[order->target].emplace_back(std::move(order));
}

// That it is held already, or not held, says as much of the target as if it had been held, or
// released, just then.
std::string HoldBook::refused(HoldOrder& order, ErrorCode code, bool stays) {
  const bool says = code == (order.releases ? ErrorCode::not_found : ErrorCode::conflict);
  if (!left_nothing(code)) {
    order.put_off = ++moment_;
    return {};
  }
  order.settle(Asked::Answer::refused, ++moment_);
  if (!says) return {};
  settle_put_off(order);
  const auto& orders = orders_.at(order.target);
  const bool wrong = order.releases ? was_held(orders, order) : was_released(orders, order);
  if (stays) order.answer = Asked::Answer::accepted;
  if (!wrong) return {};
  return order.target +
         (order.releases ? " is held, and was said not to be" : " is not held, and was said to be");
}

void HoldBook::settle_put_off(const HoldOrder& answered) {
  for (auto& [target, orders] : orders_) {
    for (auto& order : orders) {
      const bool is_older = order->put_off != 0 && order->put_off < answered.sent;
      if (is_older && order->done == Asked::kOpen) order->settle(Asked::Answer::none, moment_);
    }
  }
}

bool HoldBook::was_held(const Orders& orders, const HoldOrder& during) {
  return std::any_of(orders.begin(), orders.end(), [&](const auto& hold) {
    if (hold->releases || !hold->must() || !hold->is_before(during)) return false;
    return std::all_of(orders.begin(), orders.end(), [&](const auto& other) {
      return !other->releases || !other->may() || other->is_before(*hold) ||
             during.is_before(*other);
    });
  });
}

bool HoldBook::was_released(const Orders& orders, const HoldOrder& during) {
  return std::all_of(orders.begin(), orders.end(), [&](const auto& hold) {
    if (hold->releases || !hold->may() || during.is_before(*hold)) return true;
    return std::any_of(orders.begin(), orders.end(), [&](const auto& other) {
      return other->releases && other->must() && hold->is_before(*other) &&
             other->is_before(during);
    });
  });
}

void HoldBook::process_died() {
  ++moment_;
  for (auto& [target, orders] : orders_)
    for (auto& order : orders) order->process_died(moment_);
}

bool HoldBook::must_be_held(std::string_view target) const {
  const auto found = orders_.find(target);
  if (found == orders_.end()) return false;
  const auto& orders = found->second;
  return std::any_of(orders.begin(), orders.end(), [&](const auto& hold) {
    if (hold->releases || !hold->must()) return false;
    return std::all_of(orders.begin(), orders.end(), [&](const auto& other) {
      return !other->releases || !other->may() || other->is_before(*hold);
    });
  });
}

bool HoldBook::may_be_held(std::string_view target) const {
  const auto found = orders_.find(target);
  if (found == orders_.end()) return false;
  const auto& orders = found->second;
  return std::any_of(orders.begin(), orders.end(), [&](const auto& hold) {
    if (hold->releases || !hold->may()) return false;
    return std::none_of(orders.begin(), orders.end(), [&](const auto& other) {
      return other->releases && other->must() && hold->is_before(*other);
    });
  });
}

std::vector<std::string> HoldBook::held() const {
  std::vector<std::string> targets;
  for (const auto& [target, orders] : orders_)
    if (may_be_held(target)) targets.push_back(target);
  return targets;
}

std::string HoldBook::check(const std::vector<Hold>& holds) const {
  const auto has = [&](const std::string& target) {
    return std::any_of(holds.begin(), holds.end(),
                       [&](const Hold& hold) { return hold.target == target; });
  };
  for (const auto& hold : holds)
    if (!may_be_held(hold.target)) return hold.target + " is held, and nobody asked for it";
  for (const auto& [target, orders] : orders_)
    if (must_be_held(target) && !has(target)) return target + " was held, and is not any more";
  return {};
}

}  // namespace belay::sim
