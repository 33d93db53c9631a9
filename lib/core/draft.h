// What a caller asked for, whatever its mode, in one form: what is checked and encoded. Views into
// the description; nothing is owned.
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
  std::string_view branch_id{};  // empty: its number
};

struct Draft {
  Mode mode{};
  Shape shape{};
  bool is_concurrent = false;
  const Settings* settings = nullptr;
  Millis delay{0};
  std::vector<DraftStep> steps{};
  const std::vector<Saga::Order>* orders = nullptr;  // a saga's; null: none
  std::string_view name{};                           // a workflow's
};

Draft draft_of(Description description);
const Settings& settings_of(Description description);
DraftStep draft_of(const TwoPhaseBranch& branch);

}  // namespace belay::core
