// The story of a message, judged by its plan.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/core/msg_plan.h"
#include "unit/core/story.h"

namespace belay::test {

class MsgStory : public Story {
 public:
  MsgStory(const MsgPlan& plan, std::uint64_t created_at);

  std::unique_ptr<Story> clone() const override { return std::make_unique<MsgStory>(*this); }
  void step(const core::Event& event, const core::Context& context, const core::Step& step,
            Findings& findings, const Past& past) override;
  void rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
            const Past& past) const override;
  void examine_state(const core::Transaction& transaction, Findings& findings,
                     const Past& past) const override;
  std::optional<Op> call_out(std::uint32_t branch) const override { return shares_[branch].out; }
  std::uint32_t branch_count() const override { return static_cast<std::uint32_t>(shares_.size()); }
  bool takes_no(Op op) const override { return op == Op::query; }

 private:
  enum class Decision { none, submit, abort };
  // A delivery, a subscriber's, or the back-check.
  struct Share : Calls {
    std::string target;            // whom it calls; empty: nobody
    std::uint32_t place = 0;       // among the deliveries; a subscriber has its topic's
    std::optional<bool> answered;  // the back-check: yes or no
    bool is_subscriber = false;
    bool begun = false;
    bool done = false;
  };
  class Examiner;  // one step's

  bool is_query(std::uint32_t branch) const { return plan_->has_query && branch == plan_->count(); }
  bool query_is_out() const { return plan_->has_query && shares_[plan_->count()].out; }
  bool is_open(std::uint32_t branch) const;
  bool those_before_are_done(std::uint32_t branch) const;
  bool all_delivered() const;
  bool none_begun() const;
  bool is_over() const;
  bool idles(std::uint32_t branch, std::uint64_t now) const;
  std::uint64_t deadline() const;
  std::uint64_t wake_up() const;
  bool nothing_waits() const;  // for a time that may come sooner
  Status status() const;
  void examine_words(const core::Transaction& transaction, Findings& findings,
                     const Past& past) const;
  void examine_targets(const core::Transaction& transaction, Findings& findings,
                       const Past& past) const;

  const MsgPlan* plan_;
  std::vector<Share> shares_;
  TimelineCheck tale_;
  std::uint64_t created_at_;
  std::uint64_t start_ = 0;  // of the first delivery
  Decision decision_;
  bool begun_ = false;
  bool asked_ = false;
  bool finished_ = false;
};

inline MsgStory opening_of(const MsgPlan& plan) { return {plan, kBegin}; }

}  // namespace belay::test
