// Small messages in a form that tests can compute with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unit/core/world.h"

namespace belay::test {

enum class DeliveryKind : std::uint8_t { plain, empty, topic };

struct MsgPlan {
  struct Delivery {
    DeliveryKind kind{};
    // a topic's subscribers, and those after the subscriptions changed: never the same ones
    std::uint32_t before = 0;
    std::uint32_t after = 0;
  };

  std::vector<Delivery> deliveries;
  bool has_query = false;
  bool driven = false;
  bool concurrent = false;
  bool changes = false;           // the subscriptions, at any moment
  std::uint32_t retry_limit = 0;  // means nothing to a message
  std::uint64_t timeout = 0;      // ms; 0: the default
  std::uint64_t delay = 0;

  std::uint32_t count() const { return static_cast<std::uint32_t>(deliveries.size()); }
  std::string target(std::uint32_t delivery) const;
  std::string payload(std::uint32_t delivery) const;
  // "driven msg, concurrent, to one, to topic of 2 then 0, back-check, limit 1, …".
  std::string describe() const;
};

Scenario scenario_of(const MsgPlan& plan);

}  // namespace belay::test
