// Which of a service's endpoints is called next. Pure code: the same calls give the same choices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "belay/resolver.h"

namespace belay::names {

// What the caller knows of an endpoint.
struct Condition {
  bool ejected = false;        // it does not answer: its breaker is open
  std::uint64_t probe_at = 0;  // only if it is ejected: when it may be tried again
  std::uint64_t in_flight = 0;
};

class Balancer {
 public:
  using ConditionOf = std::function<Condition(const Endpoint& endpoint)>;

  // An endpoint that stays keeps its turn.
  void set(std::vector<Endpoint> endpoints);
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

  // The endpoint for one call, which counts as its turn: one of the lowest priority number that is
  // not ejected. If all are ejected, the one that may be tried again first. Null: there is none.
  // Valid until `set`.
  const Endpoint* pick(Balance how, const ConditionOf& condition_of);

 private:
  const Endpoint* take(const std::vector<std::size_t>& among);

  std::vector<Endpoint> endpoints_;  // ordered
  // What each endpoint is owed, in units of weight (the "smooth" round robin of nginx): all get
  // their weight, the one that is owed most is taken, and pays the sum.
  std::vector<std::int64_t> owed_;
};

}  // namespace belay::names
