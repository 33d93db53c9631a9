// A saga: steps that go forward, and compensations that undo them if one of them fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/description.h"

namespace belay {

class Saga : public Describes<Saga> {
 public:
  struct Step {
    std::string action;
    std::string compensate;
    std::string payload;
    StepOptions options;
  };
  // Step `step` waits until the steps in `after` have succeeded. The numbers are those in branch
  // ids: the first step is 1.
  struct Order {
    std::uint32_t step;
    std::vector<std::uint32_t> after;
  };

  Saga() = default;
  // The gid is the idempotency key: a repeated submit joins the first transaction or returns its
  // result.
  explicit Saga(std::string gid) : Describes(std::move(gid)) {}

  // A target is a handler's name. An empty target succeeds without a call.
  Saga& step(std::string_view action, std::string_view compensate, std::string_view payload = {},
             StepOptions options = {}) {
    steps_.push_back(
        {std::string(action), std::string(compensate), std::string(payload), std::move(options)});
    return *this;
  }
  // All steps run at once instead of in order; the compensations too.
  Saga& concurrent() {
    concurrent_ = true;
    return *this;
  }
  // Makes the steps a graph: a step starts as soon as the steps that it waits for have succeeded,
  // and a step without an order starts at once. Compensation follows the graph in reverse. A cycle,
  // an unknown step or a repeated step is refused at the submit.
  Saga& order(std::uint32_t step, std::vector<std::uint32_t> after) {
    orders_.push_back({step, std::move(after)});
    return *this;
  }
  // The first step starts this long after the submit.
  Saga& delay(Millis delay) {
    delay_ = delay;
    return *this;
  }

  const std::vector<Step>& steps() const noexcept { return steps_; }
  const std::vector<Order>& orders() const noexcept { return orders_; }
  bool is_concurrent() const noexcept { return concurrent_; }
  Millis delay() const noexcept { return delay_; }

 private:
  std::vector<Step> steps_;
  std::vector<Order> orders_;
  Millis delay_{0};
  bool concurrent_ = false;
};

}  // namespace belay
