// A saga: steps that go forward, and compensations that take them back if one of them says no.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/options.h"
#include "belay/types.h"

namespace belay {

// What one step may set for itself; what it leaves out comes from the transaction, then from the
// engine.
struct StepOptions {
  std::optional<Retry> retry{};
  std::optional<Millis> request_timeout{};
  std::vector<Header> headers{};
};

// A description, nothing more: copy it, keep it, submit it as often as you like. Not thread-safe
// while it is built. All checks are made at submit, with the error that names the field and the
// limit.
class Saga {
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

  // Without a gid the engine makes one, time-ordered; the report tells it.
  Saga() = default;
  // The gid is the idempotency key: submitting it again joins the first or returns its result.
  explicit Saga(std::string gid) : gid_(std::move(gid)) {}

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
  // Turn back if not done by then, counted from the submit. Default: never. At least 1 ms.
  Saga& timeout_to_fail(Millis timeout) {
    timeout_to_fail_ = timeout;
    return *this;
  }
  // How long each call may take.
  Saga& request_timeout(Millis timeout) {
    request_timeout_ = timeout;
    return *this;
  }
  Saga& retry(const Retry& retry) {
    retry_ = retry;
    return *this;
  }
  // The first step starts this long after the submit.
  Saga& delay(Millis delay) {
    delay_ = delay;
    return *this;
  }
  // The submit is answered when the transaction is final instead of when it is on disk. Not part of
  // the definition.
  Saga& wait_result(bool wait = true) {
    wait_result_ = wait;
    return *this;
  }
  Saga& header(std::string_view name, std::string_view value) {
    headers_.push_back({std::string(name), std::string(value)});
    return *this;
  }
  // Bytes of the caller's that every call of this transaction is given.
  Saga& custom_data(std::string_view bytes) {
    custom_data_ = bytes;
    return *this;
  }
  // W3C traceparent; stored, shown by the tools and handed to every call.
  Saga& trace_parent(std::string_view text) {
    trace_parent_ = text;
    return *this;
  }

  const std::string& gid() const noexcept { return gid_; }
  const std::vector<Step>& steps() const noexcept { return steps_; }
  const std::vector<Order>& orders() const noexcept { return orders_; }
  bool is_concurrent() const noexcept { return concurrent_; }
  bool waits_for_result() const noexcept { return wait_result_; }
  std::optional<Millis> timeout_to_fail() const noexcept { return timeout_to_fail_; }
  std::optional<Millis> request_timeout() const noexcept { return request_timeout_; }
  const std::optional<Retry>& retry() const noexcept { return retry_; }
  Millis delay() const noexcept { return delay_; }
  const std::vector<Header>& headers() const noexcept { return headers_; }
  const std::string& custom_data() const noexcept { return custom_data_; }
  const std::string& trace_parent() const noexcept { return trace_parent_; }

 private:
  std::string gid_;
  std::vector<Step> steps_;
  std::vector<Order> orders_;
  std::vector<Header> headers_;
  std::string custom_data_;
  std::string trace_parent_;
  std::optional<Retry> retry_;
  std::optional<Millis> timeout_to_fail_;
  std::optional<Millis> request_timeout_;
  Millis delay_{0};
  bool concurrent_ = false;
  bool wait_result_ = false;
};

}  // namespace belay
