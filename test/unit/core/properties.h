// What must hold in every history, each a sentence and the name of a test. A mode's list is its
// own promises and those that all modes share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#define BELAY_SHARED_PROPERTIES(X)                                                      \
  X(calls_what_is_open, "it calls only what is recorded as started and has not ended")  \
  X(one_call_a_branch, "a branch has at most one call out, and the core knows of each") \
  X(no_idling, "whatever may start has been started")                                   \
  X(never_early, "no call is made before it is due")                                    \
  X(always_woken, "unfinished, it has a wake-up, a call out or a parked branch")        \
  X(woken_in_time, "the next wake-up is the earliest of retries, start and deadline")   \
  X(early_wake_up, "a wake-up that comes early decides nothing")                        \
  X(final_is_final, "a final status never changes and nothing follows it")              \
  X(finished_once, "the end is told exactly once, in the step that records it")         \
  X(attempts_counted, "attempts are the answers that came")                             \
  X(timeline_tells_all, "the timeline tells every answer and decision, in order")       \
  X(fold_is_live, "folding the committed records gives the live transaction")           \
  X(snapshot_is_live, "a snapshot and the records after it give the live transaction")  \
  X(consistent, "every state is one that an import takes")                              \
  X(everything_ends, "when faults stop, it ends")                                       \
  X(stop_ends_it, "stopped, it calls nobody and fails when the last call is back")      \
  X(hastened_at_once, "hastened, what waits for its time is called, and no deadline comes early")

#define BELAY_SAGA_PROPERTIES(X)                                                              \
  X(nothing_forward_after_abort, "nothing goes forward after the decision to abort")          \
  X(turns_back_for_a_reason,                                                                  \
    "it turns back at once for a refusal or the deadline, never for less")                    \
  X(retry_limit, "it turns back at exactly the limit-th call in a row without an answer")     \
  X(undoes_only_what_may_have_run, "it never compensates what cannot have run")               \
  X(undoes_all_that_may_have_run, "it says failed once all that may have run is compensated") \
  X(action_order, "a step starts only after those it waits for succeeded")                    \
  X(undo_order, "it compensates in reverse order, a graph backwards")                         \
  X(own_call_first, "it never compensates a branch while a call of that branch is in flight") \
  X(status_is_true, "it says succeed only if every action succeeded, failed only after an abort")

// Of what has a caller that may give it a word.
#define BELAY_DRIVEN_PROPERTIES(X)                                           \
  X(words_allowed, "its caller's words are taken exactly when they must be") \
  X(default_deadline, "without a deadline of its own it has one after 35 seconds")

#define BELAY_TWO_PHASE_PROPERTIES(X)                                                           \
  X(first_phase_first, "nothing of the first phase is started after the decision")              \
  X(never_both, "after one decision, never the other nor an operation of the other")            \
  X(commits_when_all_succeeded, "it decides to confirm only after every first phase succeeded") \
  X(commits_at_once,                                                                            \
    "declared, it decides in the step of the last success; driven, by the word alone")          \
  X(cancels_for_a_reason,                                                                       \
    "it turns back at once for a refusal, the deadline or the word, never for less")            \
  X(first_phase_limit, "it turns back at exactly the limit-th try in a row without an answer")  \
  X(cancels_what_may_have_run, "it cancels only what may have been tried")                      \
  X(cancels_all_that_may_have_run, "it says failed once all that was tried is cancelled")       \
  X(confirms_all, "it says succeed once every branch is confirmed")                             \
  X(waits_for_own_call, "it never cancels a branch while a call of that branch is in flight")   \
  X(first_phase_order,                                                                          \
    "in order, a branch is tried after those before it succeeded; driven, when it is added")    \
  X(confirm_order, "in order, a branch is confirmed after those before it")                     \
  X(cancel_order, "in order, a branch is cancelled after those behind it")                      \
  X(second_phase_for_ever, "a confirm or cancel is asked again until it succeeds")              \
  X(second_phase_ends_nothing, "a confirm or cancel that fails decides nothing")                \
  X(branch_told, "a driven branch's end is told when it comes, and when it turns back")         \
  X(branch_outcome, "a driven branch came to what its first phase said, else to unknown")       \
  X(two_phase_status, "its status is the decision that was made, and final at the end")

#define BELAY_MSG_PROPERTIES(X)                                                                \
  X(delivers_when_submitted, "nothing is delivered before the submit or after the abort")      \
  X(submitted_for_a_reason,                                                                    \
    "it is submitted at once by the word or the back-check's success, never by less")          \
  X(fails_for_a_reason,                                                                        \
    "it is aborted at once by the word, the back-check's no or, without one, the deadline")    \
  X(asked_in_time, "the back-check is asked at the deadline, not before, and while prepared")  \
  X(asked_again, "the back-check is asked again until it answers")                             \
  X(word_before_answer, "a back-check's answer that comes after the word decides nothing")     \
  X(delivery_order, "in order, a delivery starts after those before it, subscribers in place") \
  X(delivered_for_ever, "a delivery is made again until it succeeds, whatever the limit")      \
  X(delivery_ends_nothing, "a delivery that fails decides nothing")                            \
  X(goes_to_subscribers, "a topic goes to those subscribed at the submit, to no others")       \
  X(waits_for_query, "it ends when everybody has it, but not while a back-check is in flight") \
  X(starts_after_delay, "the first delivery waits for the delay, counted from the submit")     \
  X(msg_status, "its status is the decision that was made, and final at the end")

#define BELAY_WORKFLOW_PROPERTIES(X)                                                         \
  X(called_back_first, "its owner is called back after the first interval, not before")      \
  X(called_back_again, "whatever the callback answers, it is called again until the end")    \
  X(nobody_to_call, "without a callback nobody is called, and it waits for its owner alone") \
  X(remembers_all, "it remembers every step that was recorded, in order, and nothing else")  \
  X(ends_by_word, "it ends at once by its owner's word, and by nothing else")                \
  X(end_as_said, "its end is as its owner said, with the result and the reason")             \
  X(late_callback, "a callback that comes back after the end changes nothing")               \
  X(no_other_word, "it takes no branch, submit or abort, and knows no deadline")

namespace belay::test {

enum class Property : std::size_t {
#define BELAY_X(name, sentence) name,
  BELAY_SHARED_PROPERTIES(BELAY_X)     //
  BELAY_SAGA_PROPERTIES(BELAY_X)       //
  BELAY_DRIVEN_PROPERTIES(BELAY_X)     //
  BELAY_TWO_PHASE_PROPERTIES(BELAY_X)  //
  BELAY_MSG_PROPERTIES(BELAY_X)        //
  BELAY_WORKFLOW_PROPERTIES(BELAY_X)   //
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

// How often each property was examined and where it broke; shared by all histories of a test.
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

}  // namespace belay::test
