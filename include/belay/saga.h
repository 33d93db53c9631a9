// A saga: steps that go forward, and compensations that take them back if one of them says no.
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
  // Step `step` waits for the success of the steps in `after`. Numbers as in branch ids: the first
  // step is 1.
  struct Order {
    std::uint32_t step;
    std::vector<std::uint32_t> after;
  };

  Saga() = default;
  // The gid is the idempotency key: submitting it again joins the first or returns its result.
  explicit Saga(std::string gid) : Describes(std::move(gid)) {}

  // A target is a handler's name. An empty target succeeds without a call.
  Saga& step(std::string_view action, std::string_view compensate, std::string_view payload = {},
             StepOptions options = {}) {
    steps_.push_back(
        {std::string(action), std::string(compensate), std::string(payload), std::move(options)});
    return *this;
  }
  // All steps at once instead of in order; compensations too.
  Saga& concurrent() {
    concurrent_ = true;
    return *this;
  }
  // A graph: steps start as soon as those they wait for succeeded, a step without an order at once.
  // Compensation goes the graph backwards. A cycle, an unknown or a repeated step is refused at
  // submit.
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
