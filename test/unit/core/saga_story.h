// The story of a saga, judged by its plan.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "unit/core/saga_plan.h"
#include "unit/core/story.h"

namespace belay::test {

class SagaStory : public Story {
 public:
  SagaStory(const SagaPlan& plan, std::uint64_t created_at);

  std::unique_ptr<Story> clone() const override { return std::make_unique<SagaStory>(*this); }
  void step(const core::Event& event, const core::Context& context, const core::Step& step,
            Findings& findings, const Past& past) override;
  void rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
            const Past& past) const override;
  void examine_state(const core::Transaction& transaction, Findings& findings,
                     const Past& past) const override;
  std::optional<Op> call_out(std::uint32_t branch) const override { return shares_[branch].out; }
  std::uint32_t branch_count() const override { return static_cast<std::uint32_t>(shares_.size()); }
  bool takes_no(Op op) const override { return op == Op::action; }

 private:
  struct Share : Calls {
    bool may_have_run = false;
    bool acted = false;
    bool undoing = false;
    bool undone = false;
  };
  class Examiner;  // one step's

  bool predecessors_acted(std::uint32_t branch) const;
  bool followers_undone(std::uint32_t branch) const;
  bool is_open(const Share& share) const;
  bool idles(std::uint32_t branch, std::uint64_t now) const;
  bool is_over() const;
  std::uint64_t deadline() const;  // 0: none
  std::uint64_t wake_up() const;
  bool nothing_waits() const;  // for a time that may come sooner

  const SagaPlan* plan_;
  std::vector<Share> shares_;
  TimelineCheck tale_;
  std::uint64_t created_at_;
  std::uint64_t start_;  // of the first action, once it is submitted
  bool submitted_;
  bool begun_ = false;
  bool aborted_ = false;
  bool finished_ = false;
};

inline SagaStory opening_of(const SagaPlan& plan) { return {plan, kBegin}; }

}  // namespace belay::test
