// Every history of a small saga: what may happen next is listed, and each of it is tried.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/decide.h"
#include "unit/core/saga_story.h"

namespace belay::test {

// How much may go wrong in one history. Without a bound there is always one more retry.
struct Faults {
  std::uint32_t unanswered = 0;    // answers that end nothing
  std::uint32_t unregistered = 0;  // calls that find no handler
  std::uint32_t crashes = 0;
};

struct Counts {
  std::uint64_t histories = 0;  // ways from the submit to an end
  std::uint64_t states = 0;     // different ones on those ways; each is examined once
  std::uint64_t steps = 0;
};

// From the submit on, everything that can happen within `faults`: each call that is out may be the
// next to come back, with every outcome; time may come for the next thing due or at once for the
// deadline; the process may crash, and come back now, later, or with a clock that went back.
void explore(const Plan& plan, const Faults& faults, Findings& findings, Counts& counts);

}  // namespace belay::test
