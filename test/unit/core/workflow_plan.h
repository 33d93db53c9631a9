// Small workflows in a form that tests can compute with.
#pragma once

#include <cstdint>
#include <string>

#include "unit/core/world.h"

namespace belay::test {

struct WorkflowPlan {
  bool has_callback = true;
  std::uint32_t steps = 0;        // that its owner may record
  std::uint32_t retry_limit = 0;  // means nothing to a workflow
  std::uint64_t timeout = 0;      // nor does this, ms

  // As encoded.
  static std::string step(std::uint32_t index);
  // "workflow with a callback, 2 steps, limit 0, timeout 25".
  std::string describe() const;
};

Scenario scenario_of(const WorkflowPlan& plan);

}  // namespace belay::test
