// A two-phase message: delivered to every target if and only if the caller's own transaction
// committed. Prepare it, commit your own work, submit it; if no word comes, belay asks the
// back-check. See belay/outbox.h for the three in one call.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/description.h"

namespace belay {

// A target that begins so names a topic: the message goes to those subscribed when it is submitted.
inline constexpr std::string_view kTopicPrefix = "topic://";

class Msg : public Describes<Msg> {
 public:
  struct Delivery {
    std::string target;
    std::string payload;
    StepOptions options;
  };

  Msg() = default;
  // The gid is the idempotency key, as a saga's.
  explicit Msg(std::string gid) : Describes(std::move(gid)) {}

  // A target is a handler's name or a topic. It is called until it succeeds: a message has no way
  // back.
  Msg& to(std::string_view target, std::string_view payload = {}, StepOptions options = {}) {
    deliveries_.push_back({std::string(target), std::string(payload), std::move(options)});
    return *this;
  }
  // The handler that says what became of the caller's own transaction: success, committed; failure,
  // not and never will be; else it is asked again. Asked when no word came by timeout_to_fail.
  // Without one, a message that was prepared and never submitted fails then.
  Msg& query(std::string_view target) {
    query_ = target;
    return *this;
  }
  // All deliveries at once instead of in order.
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

}  // namespace belay
