#include "unit/core/workflow_plan.h"

#include <fmt/format.h>

#include "belay/check.h"
#include "support/encode.h"
#include "unit/core/story.h"

namespace belay::test {

std::string WorkflowPlan::step(std::uint32_t index) {
  // the same branch, then the same op
  const auto branch = fmt::format("0{}", index / 2 + 1);
  auto bytes = core::encode_progress(
      {branch, index % 2 == 0 ? "action" : "rollback", "succeed", "data"}, Limits{});
  BELAY_CHECK(bytes.has_value());
  return *std::move(bytes);
}

std::string WorkflowPlan::describe() const {
  return fmt::format("workflow with{} callback, {} steps, limit {}, timeout {}",
                     has_callback ? " a" : "out", steps, retry_limit, timeout);
}

Scenario scenario_of(const WorkflowPlan& plan) {
  Workflow workflow("g");
  workflow.callback(plan.has_callback ? "owner" : "", "order", "input")
      .retry(retry_of_plans(plan.retry_limit));
  if (plan.timeout != 0) workflow.timeout_to_fail(Millis(plan.timeout));
  const auto definition = encode(workflow, "g", Limits{}, core::Entry::prepare);
  BELAY_CHECK(definition.has_value());
  Scenario scenario{
      .name = plan.describe(), .definition = *definition, .driven = true, .is_workflow = true};
  for (std::uint32_t i = 0; i < plan.steps; ++i) scenario.progress.push_back(plan.step(i));
  return scenario;
}

}  // namespace belay::test
