// What a saga may do, told a second time: from the plan and from what the core hands out, without a
// look at the core's own state. Each sentence below is a property; how often it was examined and
// where it broke is kept in Findings.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/decide.h"
#include "core/timeline.h"
#include "unit/core/saga_plan.h"

#define BELAY_SAGA_PROPERTIES(X)                                                                  \
  X(nothing_forward_after_abort, "nothing goes forward after the decision to abort")              \
  X(turns_back_for_a_reason,                                                                      \
    "it turns back at once for a refusal or the deadline, never for less")                        \
  X(retry_limit, "it turns back at exactly the limit-th call in a row without an answer")         \
  X(undoes_only_what_may_have_run, "it never compensates what cannot have run")                   \
  X(undoes_all_that_may_have_run, "it says failed once all that may have run is compensated")     \
  X(action_order, "a step starts only after those it waits for succeeded")                        \
  X(undo_order, "it compensates in reverse order, a graph backwards")                             \
  X(own_call_first, "it never compensates a branch while a call of that branch is in flight")     \
  X(calls_what_is_open, "it calls only what is recorded as started and has not ended")            \
  X(one_call_a_branch, "a branch has at most one call out, and the core knows of each")           \
  X(no_idling, "whatever may start has been started")                                             \
  X(never_early, "no call is made before it is due")                                              \
  X(always_woken, "unfinished, it has a wake-up, a call out or a parked branch")                  \
  X(woken_in_time, "the next wake-up is the earliest of retries, start and deadline")             \
  X(early_wake_up, "a wake-up that comes early decides nothing")                                  \
  X(final_is_final, "a final status never changes and nothing follows it")                        \
  X(finished_once, "the end is told exactly once, in the step that records it")                   \
  X(status_is_true, "it says succeed only if every action succeeded, failed only after an abort") \
  X(attempts_counted, "attempts are the answers that came")                                       \
  X(timeline_tells_all, "the timeline tells every answer and decision, in order")                 \
  X(fold_is_live, "folding the committed records gives the live transaction")                     \
  X(snapshot_is_live, "a snapshot and the records after it give the live transaction")            \
  X(everything_ends, "when faults stop, it ends")

namespace belay::test {

enum class Property : std::size_t {
#define BELAY_X(name, sentence) name,
  BELAY_SAGA_PROPERTIES(BELAY_X)
#undef BELAY_X
      count
};

// What happened so far: shared by all histories that begin alike.
struct Past {
  std::shared_ptr<const Past> before;
  std::string what;   // "unknown 2"
  std::string batch;  // what that step committed, sealed

  std::string told() const { return before ? before->told() + "; " + what : what; }
};

// Shared by all histories of a test.
class Findings {
 public:
  void examine(Property property, bool holds, const Past& past) {
    auto& count = counts_[static_cast<std::size_t>(property)];
    ++count.examined;
    if (holds) return;
    if (count.broken++ == 0) count.first = past.told();
  }
  std::uint64_t examined(Property property) const { return at(property).examined; }
  std::uint64_t broken(Property property) const { return at(property).broken; }
  // The history in which it broke first.
  const std::string& first(Property property) const { return at(property).first; }

 private:
  struct Count {
    std::uint64_t examined = 0;
    std::uint64_t broken = 0;
    std::string first;
  };
  const Count& at(Property property) const { return counts_[static_cast<std::size_t>(property)]; }

  std::array<Count, static_cast<std::size_t>(Property::count)> counts_;
};

class Story {
 public:
  Story(const Plan& plan, std::uint64_t created_at);

  // One step: what happened, and what the core made of it.
  void step(const core::Event& event, std::uint64_t now, const core::Step& step, Findings& findings,
            const Past& past);
  // What must hold between two steps.
  void rest(const core::Transaction& transaction, std::uint64_t now, Findings& findings,
            const Past& past) const;

  void examine_timeline(const core::Transaction& transaction, Findings& findings,
                        const Past& past) const;

  std::optional<Op> call_out(std::uint32_t branch) const { return shares_[branch].out; }
  bool aborted() const { return aborted_; }
  bool finished() const { return finished_; }

 private:
  struct Share {
    bool may_have_run = false;
    bool acted = false;
    bool undoing = false;
    bool undone = false;
    bool parked = false;
    bool retries = false;          // waits for the time of its next call
    std::optional<Op> out;         // the call in flight
    std::uint32_t unanswered = 0;  // in a row, of the current op
    std::uint64_t not_before = 0;
    std::array<std::uint32_t, 2> answers{};  // by op
  };
  struct Told {
    core::RecordKind kind;
    std::uint64_t at;
    std::uint32_t branch;
    Op op;
    OutcomeKind outcome;
  };
  class Examiner;  // one step's

  bool predecessors_acted(std::uint32_t branch) const;
  bool followers_undone(std::uint32_t branch) const;
  bool is_open(const Share& share) const;
  bool idles(std::uint32_t branch, std::uint64_t now) const;
  bool is_over() const;
  std::uint64_t start() const { return created_at_ + plan_->delay; }
  std::uint64_t deadline() const { return plan_->timeout == 0 ? 0 : created_at_ + plan_->timeout; }
  std::uint64_t wake_up() const;
  bool is_told_by(const core::TimelineEvent& event, std::size_t& at) const;

  const Plan* plan_;
  std::vector<Share> shares_;
  std::vector<Told> told_;
  std::uint64_t created_at_;
  bool begun_ = false;
  bool aborted_ = false;
  bool finished_ = false;
};

}  // namespace belay::test
