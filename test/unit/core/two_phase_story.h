// The story of a tcc or an xa, judged by its plan.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "unit/core/story.h"
#include "unit/core/two_phase_plan.h"

namespace belay::test {

class TwoPhaseStory : public Story {
 public:
  TwoPhaseStory(const TwoPhasePlan& plan, std::uint64_t created_at);

  std::unique_ptr<Story> clone() const override { return std::make_unique<TwoPhaseStory>(*this); }
  void step(const core::Event& event, const core::Context& context, const core::Step& step,
            Findings& findings, const Past& past) override;
  void rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
            const Past& past) const override;
  void examine_state(const core::Transaction& transaction, Findings& findings,
                     const Past& past) const override;
  std::optional<Op> call_out(std::uint32_t branch) const override { return shares_[branch].out; }
  std::uint32_t branch_count() const override { return static_cast<std::uint32_t>(shares_.size()); }
  bool takes_no(Op op) const override { return op == plan_->first(); }

 private:
  enum class Decision { none, commit, abort };
  struct Share : Calls {
    bool tried = false;      // its first phase may have run
    bool succeeded = false;  // in its first phase
    bool refused = false;
    bool second = false;  // its second phase began
    bool done = false;    // and ended
  };
  class Examiner;  // one step's

  bool is_open(const Share& share) const;
  bool may_begin(std::uint32_t branch) const;
  bool those_before(std::uint32_t branch, bool Share::*what) const;
  bool those_behind_are_cancelled(std::uint32_t branch) const;
  bool all_succeeded() const;
  bool all_done() const;  // of the second phase
  bool idles(std::uint32_t branch, std::uint64_t now) const;
  bool decided() const { return decision_ != Decision::none; }
  std::uint64_t deadline() const;
  std::uint64_t wake_up() const;
  bool nothing_waits() const;  // for a time that may come sooner
  Status status() const;
  void examine_words(const core::Transaction& transaction, Findings& findings,
                     const Past& past) const;
  void examine_outcomes(const core::Transaction& transaction, Findings& findings,
                        const Past& past) const;

  const TwoPhasePlan* plan_;
  std::vector<Share> shares_;
  TimelineCheck tale_;
  std::uint64_t created_at_;
  Decision decision_ = Decision::none;
  bool finished_ = false;
};

inline TwoPhaseStory opening_of(const TwoPhasePlan& plan) { return {plan, kBegin}; }

}  // namespace belay::test
