// Small sagas in a form that tests can compute with, and all of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "belay/saga.h"
#include "core/definition.h"
#include "unit/core/world.h"

namespace belay::test {

struct SagaPlan {
  core::Shape shape{};
  core::Graph
      waits_for;  // also filled for a sequence, in which each step waits for the one before it
  std::uint32_t empty_actions = 0;  // bit i: step i has no action
  std::uint32_t empty_compensations = 0;
  std::uint32_t retry_limit = 0;
  std::uint64_t timeout = 0;  // ms; 0: none
  std::uint64_t delay = 0;
  bool driven = false;  // it begins prepared

  std::uint32_t count() const { return static_cast<std::uint32_t>(waits_for.size()); }
  bool is_empty(std::uint32_t branch, Op op) const {
    return ((op == Op::action ? empty_actions : empty_compensations) >> branch & 1) != 0;
  }
  Saga saga() const;
  // "graph of 3, 2 after 1, 3 after 1 2, no action 2, limit 1".
  std::string describe() const;
};

// As the explorer takes it.
Scenario scenario_of(const SagaPlan& plan);

// A sequence, all at once, and every graph without a cycle.
std::vector<SagaPlan> all_shapes(std::uint32_t count);

}  // namespace belay::test
