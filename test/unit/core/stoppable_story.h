// The story of any mode, up to the moment when its operator stops it; from then on its own, which
// is the same for all.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "unit/core/story.h"

namespace belay::test {

class StoppableStory : public Story {
 public:
  explicit StoppableStory(std::unique_ptr<Story> before) : before_(std::move(before)) {}

  std::unique_ptr<Story> clone() const override;
  void step(const core::Event& event, const core::Context& context, const core::Step& step,
            Findings& findings, const Past& past) override;
  void rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
            const Past& past) const override;
  void examine_state(const core::Transaction& transaction, Findings& findings,
                     const Past& past) const override;
  std::optional<Op> call_out(std::uint32_t branch) const override;
  std::uint32_t branch_count() const override { return before_->branch_count(); }
  bool takes_no(Op op) const override { return before_->takes_no(op); }

 private:
  bool nobody_is_out() const;
  bool is_told(const core::Event& event, const core::Step& step, bool was_finished) const;

  std::unique_ptr<Story> before_;
  std::optional<std::vector<std::optional<Op>>> out_;  // the calls that are out; none: not stopped
  bool finished_ = false;
};

}  // namespace belay::test
