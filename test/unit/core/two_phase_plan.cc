#include "unit/core/two_phase_plan.h"

#include <fmt/format.h>

#include "belay/check.h"
#include "belay/tcc.h"
#include "support/encode.h"
#include "unit/core/story.h"

namespace belay::test {
namespace {

TwoPhaseBranch branch_of(const TwoPhasePlan& plan, std::uint32_t i) {
  const auto target = [&](const char* what, Op op) {
    return plan.is_empty(i, op) ? std::string() : fmt::format("{}{}", what, i + 1);
  };
  TwoPhaseBranch branch;
  branch.first = target("first", plan.first());
  branch.commit = target("commit", plan.commit());
  branch.rollback = target("rollback", plan.rollback());
  // an added branch does not get the retry of the whole: the same rule in both places
  branch.options.retry = retry_of_plans(plan.retry_limit);
  return branch;
}

template <class TwoPhase>
std::string definition_of(const TwoPhasePlan& plan) {
  TwoPhase whole("g");
  for (std::uint32_t i = 0; i < plan.brought; ++i) whole.branch(branch_of(plan, i));
  if (plan.in_order) whole.in_order();
  if (plan.timeout != 0) whole.timeout_to_fail(Millis(plan.timeout));
  const auto entry = plan.driven ? core::Entry::prepare : core::Entry::submit;
  const auto definition = encode(whole, "g", Limits{}, entry);
  BELAY_CHECK(definition.has_value());
  return *definition;
}

}  // namespace

bool TwoPhasePlan::is_empty(std::uint32_t branch, Op op) const {
  const auto set = op == first() ? empty_first : op == commit() ? empty_commit : empty_rollback;
  return (set >> branch & 1) != 0;
}

std::string TwoPhasePlan::describe() const {
  auto text = fmt::format("{} {}{} of {} and {} more", driven ? "driven" : "declared",
                          name_of(mode), in_order ? " in order" : "", brought, added);
  for (std::uint32_t i = 0; i < count_max(); ++i) {
    for (const auto op : {first(), commit(), rollback()}) {
      if (is_empty(i, op)) text += fmt::format(", no {} {}", name_of(op), i + 1);
    }
  }
  return text + fmt::format(", limit {}, timeout {}", retry_limit, timeout);
}

Scenario scenario_of(const TwoPhasePlan& plan) {
  Scenario scenario{
      .name = plan.describe(),
      .definition = plan.mode == Mode::tcc ? definition_of<Tcc>(plan) : definition_of<Xa>(plan),
      .driven = plan.driven};
  for (std::uint32_t i = plan.brought; i < plan.count_max(); ++i) {
    const auto bytes = core::encode_branch(branch_of(plan, i), Limits{});
    BELAY_CHECK(bytes.has_value());
    scenario.additions.push_back(*bytes);
  }
  return scenario;
}

}  // namespace belay::test
