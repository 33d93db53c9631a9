#include "serve/protocol/orders.h"

#include "serve/protocol/parse.h"

namespace belay::protocol {
namespace {

// dtm counts steps from 0, belay from 1.
Result<std::uint32_t> step_number(std::int64_t index, std::size_t steps) {
  if (index >= 0 && static_cast<std::uint64_t>(index) < steps)
    return static_cast<std::uint32_t>(index) + 1;
  return invalid("custom_data.orders names step " + std::to_string(index) + ", there are " +
                 std::to_string(steps) + " steps, counted from 0");
}

Result<std::vector<std::uint32_t>> step_numbers(const Json& list, std::size_t steps) {
  std::vector<std::uint32_t> numbers;
  if (list.is_null()) return numbers;
  if (!list.is_array()) return invalid("custom_data.orders: a step's value must be an array");
  for (const auto& one : list) {
    if (!one.is_number_integer()) return invalid("custom_data.orders must list whole numbers");
    auto number = step_number(one.get<std::int64_t>(), steps);
    if (!number) return number.error();
    numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<Saga::Order>> read_orders(const Json& orders, std::size_t steps) {
  std::vector<Saga::Order> all;
  if (orders.is_array() && orders.empty()) return all;  // PHP writes an empty map this way
  if (!orders.is_object()) return invalid("custom_data.orders must be an object");
  for (const auto& [key, list] : orders.items()) {
    const auto index = to_integer(key);
    if (!index) return invalid("custom_data.orders: '" + key + "' is no step's index");
    auto step = step_number(*index, steps);
    if (!step) return step.error();
    auto after = step_numbers(list, steps);
    if (!after) return after.error();
    all.push_back({*step, std::move(*after)});
  }
  return all;
}

// For steps in order, where each step waits for all before it: a step must not wait for itself or a
// later one.
Result<> check_in_order(const std::vector<Saga::Order>& orders) {
  for (const auto& [step, after] : orders) {
    for (const auto before : after) {
      if (before < step) continue;
      return invalid("custom_data.orders: step " + std::to_string(step - 1) + " waits for step " +
                     std::to_string(before - 1) +
                     ", and without `concurrent` that one waits for it");
    }
  }
  return {};
}

}  // namespace

Result<> apply_orders(std::string_view custom_data, Saga& saga) {
  if (custom_data.empty()) return {};
  const auto json = parse_object(custom_data);
  if (!json) return invalid("custom_data: " + json.error().detail);
  Members members(*json);
  const bool concurrent = members.flag("concurrent");
  if (members.error()) return invalid("custom_data: " + members.error()->detail);
  std::vector<Saga::Order> orders;
  if (const auto* found = members.find("orders")) {
    auto read = read_orders(*found, saga.steps().size());
    if (!read) return read.error();
    orders = std::move(*read);
  }
  if (!concurrent) return check_in_order(orders);
  if (orders.empty()) saga.concurrent();
  for (auto& [step, after] : orders) saga.order(step, std::move(after));
  return {};
}

}  // namespace belay::protocol
