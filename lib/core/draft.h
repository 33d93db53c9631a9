// A request of any mode in one form, which is then checked and encoded. The draft holds views into
// the description and owns nothing.
#pragma once

#include <string_view>
#include <vector>

#include "base/spans.h"
#include "belay/description.h"
#include "belay/saga.h"
#include "belay/tcc.h"
#include "core/definition.h"

namespace belay::core {

// Of delays, pauses between calls, and deadlines.
inline constexpr Millis kIntervalMax = base::kYear;

struct DraftStep {
  std::string_view first{};
  std::string_view commit{};
  std::string_view rollback{};
  std::string_view payload{};
  const StepOptions* options = nullptr;
  bool is_query = false;
  std::string_view branch_id{};  // empty: the branch's number
};

struct Draft {
  Mode mode{};
  Shape shape{};
  bool is_concurrent = false;
  const Settings* settings = nullptr;
  Millis delay{0};
  std::vector<DraftStep> steps{};
  const std::vector<Saga::Order>* orders = nullptr;  // the orders of a saga; null: none
  std::string_view name{};                           // the name of a workflow
};

Draft draft_of(Description description);
const Settings& settings_of(Description description);
DraftStep draft_of(const TwoPhaseBranch& branch);

}  // namespace belay::core
