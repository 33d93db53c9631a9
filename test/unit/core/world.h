// Every history of a small transaction: what may happen next is listed, and each of it is tried.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/decide.h"
#include "core/topics.h"
#include "support/sanitized.h"
#include "unit/core/stoppable_story.h"
#include "unit/core/story.h"

namespace belay::test {

// What happens to a transaction from outside, besides its calls.
struct Scenario {
  std::string name;
  std::string definition;
  // It begins prepared: its caller may add branches and give its word whenever the core takes them.
  bool driven = false;
  std::vector<std::string> additions{};  // branches its caller may add, one after the other
  // A workflow: its owner may record these steps, one after the other, and end it.
  bool is_workflow = false;
  std::vector<std::string> progress{};
  // What is subscribed; any time it may change from one to the next.
  std::vector<core::Topics> topics{};
};

// How much may go wrong in one history. Without a bound there is always one more retry.
struct Faults {
  std::uint32_t unanswered = 0;    // answers that end nothing
  std::uint32_t unregistered = 0;  // calls that find no handler, or wait for a dead host
  std::uint32_t crashes = 0;
  std::uint32_t operator_words = 0;  // to stop, hasten, turn back, resolve, edit
};

struct Counts {
  std::uint64_t histories = 0;  // ways from the submit to an end
  std::uint64_t states = 0;     // different ones on those ways; each is examined once
  std::uint64_t steps = 0;
};

// From the beginning on, everything that can happen within `faults`: each call that is out may be
// the next to come back, with every outcome; time may come for the next thing due or at once for
// the deadline; its caller may add a branch or give a word, also with the deadline and before its
// wake-up; its operator may stop or hasten it, turn it back, or resolve or
// edit a branch; the subscriptions may change; the process may crash, and come back now, later, or
// with a clock that went back. `opening` is the story before the first
// step.
void explore(const Scenario& scenario, const Story& opening, const Faults& faults,
             Findings& findings, Counts& counts);
// When every transaction begins, ms since the epoch.
inline constexpr std::uint64_t kBegin = 1'000'000;

// A test's whole exploration.
struct Proof {
  Findings findings;
  Counts counts;

  // Beside a sanitizer, which is slow, only each fourth plan: the other builds try all.
  template <class Plan>
  void explore(const Plan& plan, const Faults& faults) {
    if (kSanitized && plans_++ % 4 != 0) return;
    const StoppableStory opening(opening_of(plan).clone());
    test::explore(scenario_of(plan), opening, faults, findings, counts);
  }

 private:
  std::uint64_t plans_ = 0;
};

}  // namespace belay::test
