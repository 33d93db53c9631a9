// The story of a workflow, judged by its plan.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/core/story.h"
#include "unit/core/workflow_plan.h"

namespace belay::test {

class WorkflowStory : public Story {
 public:
  WorkflowStory(const WorkflowPlan& plan, std::uint64_t created_at);

  std::unique_ptr<Story> clone() const override { return std::make_unique<WorkflowStory>(*this); }
  void step(const core::Event& event, const core::Context& context, const core::Step& step,
            Findings& findings, const Past& past) override;
  void rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
            const Past& past) const override;
  void examine_state(const core::Transaction& transaction, Findings& findings,
                     const Past& past) const override;
  std::optional<Op> call_out(std::uint32_t) const override { return callback_.out; }
  std::uint32_t branch_count() const override { return 1; }
  bool takes_no(Op) const override { return end_ != nullptr; }
  bool takes_yes() const override { return end_ != nullptr; }

 private:
  class Examiner;  // one step's

  bool is_open() const { return scheduled_ && end_ == nullptr; }

  const WorkflowPlan* plan_;
  Calls callback_;
  TimelineCheck tale_;
  std::vector<std::string> steps_;
  const WorkflowEnd* end_ = nullptr;  // as its owner said
  std::uint64_t first_at_;            // when its owner is called for the first time
  bool scheduled_ = false;
  bool called_ = false;
};

inline WorkflowStory opening_of(const WorkflowPlan& plan) { return {plan, kBegin}; }

}  // namespace belay::test
