// A two-phase message: it is delivered to every target if and only if the caller's own transaction
// was committed. Prepare the message, commit your own work, submit the message. If neither a submit
// nor an abort follows the prepare, belay calls the back-check. belay/outbox.h has the three steps
// in one function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/description.h"

namespace belay {

// A target with this prefix names a topic: the message goes to all that are subscribed at the
// moment of the submit.
inline constexpr std::string_view kTopicPrefix = "topic://";

class Msg : public Describes<Msg> {
 public:
  struct Delivery {
    std::string target;
    std::string payload;
    StepOptions options;
  };

  Msg() = default;
  // The gid is the idempotency key, as for a saga.
  explicit Msg(std::string gid) : Describes(std::move(gid)) {}

  // A target is a handler's name or a topic. The target is called until it succeeds: a message
  // cannot be undone.
  Msg& to(std::string_view target, std::string_view payload = {}, StepOptions options = {}) {
    deliveries_.push_back({std::string(target), std::string(payload), std::move(options)});
    return *this;
  }
  // The handler that reports whether the caller's own transaction was committed. Success:
  // committed. Failure: not committed, and it never will be. Any other answer: the handler is
  // called again. The handler is called when the message was neither submitted nor aborted within
  // timeout_to_fail. Without such a handler, a message that was prepared and never submitted fails
  // at that time.
  Msg& query(std::string_view target) {
    query_ = target;
    return *this;
  }
  // All deliveries run at once instead of in order.
  Msg& concurrent() {
    concurrent_ = true;
    return *this;
  }
  // The first delivery starts this long after the submit.
  Msg& delay(Millis delay) {
    delay_ = delay;
    return *this;
  }

  const std::vector<Delivery>& deliveries() const noexcept { return deliveries_; }
  const std::string& query() const noexcept { return query_; }
  bool is_concurrent() const noexcept { return concurrent_; }
  Millis delay() const noexcept { return delay_; }

 private:
  std::vector<Delivery> deliveries_;
  std::string query_;
  Millis delay_{0};
  bool concurrent_ = false;
};

// One subscription of a topic.
struct Subscription {
  std::string topic;
  std::string target;
  std::string remark{};
  bool operator==(const Subscription&) const = default;
};

// A topic exists from its first subscription until it is removed, also without subscribers.
struct Topic {
  std::string name;
  std::vector<Subscription> subscriptions;  // ordered by target
  std::uint64_t version = 0;                // counts the changes; 1: the first subscription
  // Empty: a belay that did not store these times made the topic.
  std::optional<TimePoint> created_at{};
  std::optional<TimePoint> updated_at{};
};

}  // namespace belay
