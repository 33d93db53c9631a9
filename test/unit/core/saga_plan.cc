#include "unit/core/saga_plan.h"

#include <fmt/format.h>

#include <utility>

#include "belay/check.h"
#include "support/choices.h"
#include "support/encode.h"
#include "unit/core/story.h"

namespace belay::test {
namespace {

std::string target(const char* op, std::uint32_t branch) {
  return fmt::format("{}{}", op, branch + 1);
}

std::vector<std::uint32_t> one_based(const std::vector<std::uint32_t>& steps) {
  std::vector<std::uint32_t> numbers;
  for (const auto step : steps) numbers.push_back(step + 1);
  return numbers;
}

// Written apart from the library's own check: whoever can be taken is taken until nobody can.
bool has_cycle(const core::Graph& graph) {
  std::vector<bool> taken(graph.size());
  for (std::size_t round = 0; round < graph.size(); ++round) {
    for (std::size_t i = 0; i < graph.size(); ++i) {
      bool free = true;
      for (const auto before : graph[i]) free = free && taken[before];
      if (free) taken[i] = true;
    }
  }
  for (const bool one : taken) {
    if (!one) return true;
  }
  return false;
}

core::Graph chain(std::uint32_t count) {
  core::Graph graph(count);
  for (std::uint32_t i = 1; i < count; ++i) graph[i] = {i - 1};
  return graph;
}

}  // namespace

Saga SagaPlan::saga() const {
  Saga saga("g");
  for (std::uint32_t i = 0; i < count(); ++i) {
    saga.step(is_empty(i, Op::action) ? "" : target("act", i),
              is_empty(i, Op::compensate) ? "" : target("undo", i));
  }
  if (shape == core::Shape::concurrent) saga.concurrent();
  if (shape == core::Shape::graph) {
    for (std::uint32_t i = 0; i < count(); ++i) saga.order(i + 1, one_based(waits_for[i]));
  }
  saga.retry(retry_of_plans(retry_limit)).delay(Millis(delay));
  if (timeout != 0) saga.timeout_to_fail(Millis(timeout));
  return saga;
}

std::string SagaPlan::describe() const {
  static constexpr const char* kNames[] = {"sequence", "concurrent", "graph"};
  auto text = fmt::format("{}{} of {}", driven ? "driven " : "",
                          kNames[static_cast<std::size_t>(shape)], count());
  for (std::uint32_t i = 0; i < count(); ++i) {
    if (shape == core::Shape::graph && !waits_for[i].empty()) {
      text += fmt::format(", {} after", i + 1);
      for (const auto before : waits_for[i]) text += fmt::format(" {}", before + 1);
    }
    if (is_empty(i, Op::action)) text += fmt::format(", no action {}", i + 1);
    if (is_empty(i, Op::compensate)) text += fmt::format(", no compensation {}", i + 1);
  }
  return text + fmt::format(", limit {}, timeout {}, delay {}", retry_limit, timeout, delay);
}

Scenario scenario_of(const SagaPlan& plan) {
  const auto definition =
      encode(plan.saga(), "g", {}, plan.driven ? core::Entry::prepare : core::Entry::submit);
  BELAY_CHECK(definition.has_value());
  return {.name = plan.describe(), .definition = *definition, .driven = plan.driven};
}

std::vector<SagaPlan> all_shapes(std::uint32_t count) {
  std::vector<SagaPlan> plans;
  plans.push_back({.shape = core::Shape::sequential, .waits_for = chain(count)});
  plans.push_back({.shape = core::Shape::concurrent, .waits_for = core::Graph(count)});
  for (Choices pick; !pick.done();) {
    core::Graph graph(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      for (std::uint32_t before = 0; before < count; ++before) {
        if (i != before && pick.coin()) graph[i].push_back(before);
      }
    }
    if (!has_cycle(graph))
      plans.push_back({.shape = core::Shape::graph, .waits_for = std::move(graph)});
  }
  return plans;
}

}  // namespace belay::test
