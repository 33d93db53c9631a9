// What a transaction may do, told a second time: from the plan and from what the core hands out,
// without a look at the core's own state. Here what the stories of all modes share.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/workflow.h"
#include "core/decide.h"
#include "core/timeline.h"
#include "unit/core/properties.h"

namespace belay::test {

class Story {
 public:
  virtual ~Story() = default;
  virtual std::unique_ptr<Story> clone() const = 0;

  // One step: what happened, and what the core made of it.
  virtual void step(const core::Event& event, const core::Context& context, const core::Step& step,
                    Findings& findings, const Past& past) = 0;
  // What must hold between two steps.
  virtual void rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
                    const Past& past) const = 0;
  // What is looked at once a state: what it takes, and what it tells.
  virtual void examine_state(const core::Transaction& transaction, Findings& findings,
                             const Past& past) const = 0;
  virtual std::optional<Op> call_out(std::uint32_t branch) const = 0;
  virtual std::uint32_t branch_count() const = 0;
  // A no is an answer to this op like any other, and not a fault.
  virtual bool takes_no(Op op) const = 0;
  // Nor is a yes; else it is asked again after that too.
  virtual bool takes_yes() const { return true; }
};

inline constexpr std::string_view kStopReason = "enough";

// How Retry reads in every plan: 10, 20, 30, 30, … ms; 7 ms after an `ongoing`.
Retry retry_of_plans(std::uint32_t limit);

// How the owner of every plan's workflow ends it.
const WorkflowEnd& end_of_plans(bool well);

// The calls of one branch.
struct Calls {
  bool parked = false;
  bool retries = false;  // waits for the time of its next call
  bool edited = false;
  std::optional<Op> out;         // the call in flight
  std::uint32_t unanswered = 0;  // in a row, of the current op
  std::uint64_t not_before = 0;
  std::array<std::uint32_t, 2> answers{};  // by phase

  void open();  // a new op begins
  void park() { parked = true, not_before = 0; }
  // The disk knows when a call was due, not that it was made: a clock that went back delays it once
  // more.
  void resume(bool is_open, std::uint64_t now);
  // An answer that ended nothing; `again`: it is to be asked once more.
  void unended(OutcomeKind outcome, bool again, std::uint64_t now);
  // An operator asks for a call, which does not count.
  void hasten() { unanswered -= !parked && unanswered > 0 ? 1 : 0; }
  // An operator changes what is called; nothing of before counts.
  void edit() {
    parked = retries = false;
    unanswered = 0;
    not_before = 0;
    edited = true;
  }
  // Nothing to be done about it now.
  bool rests(std::uint64_t now) const { return parked || (retries && not_before > now); }
};

// Every answer has a cause: the event, or an op without a target.
class Awaited {
 public:
  void event(const core::Answered& answered) { event_ = answered; }
  void empty(std::uint32_t branch, Op op) { empty_ = {branch, op}; }
  bool takes(const core::Record& answered);

 private:
  std::optional<core::Answered> event_;
  std::optional<std::pair<std::uint32_t, Op>> empty_;
};

// What the timeline has to tell.
class TimelineCheck {
 public:
  TimelineCheck(core::RecordKind first, std::uint64_t at);
  // `branches`: how many there were before.
  void record(const core::Record& record, std::uint64_t now, std::size_t branches);
  void examine(const core::Transaction& transaction, Findings& findings, const Past& past) const;

 private:
  struct Expected {
    core::RecordKind kind;
    std::uint64_t at;
    std::uint32_t branch;
    Op op;
    OutcomeKind outcome;
  };
  bool is_told_by(const core::TimelineEvent& event, std::size_t& at) const;

  std::vector<Expected> told_;
  std::uint32_t steps_ = 0;  // of a workflow
};

// The earliest of the moments that are not 0.
class Earliest {
 public:
  void consider(std::uint64_t at) {
    if (at != 0 && (at_ == 0 || at < at_)) at_ = at;
  }
  std::uint64_t at() const { return at_; }

 private:
  std::uint64_t at_ = 0;
};

}  // namespace belay::test
