// What every mode's exhaustive test asks of its exploration.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>

#include "unit/core/world.h"

namespace belay::test {

// Never broken, and examined more than `examined_min` times, or nothing was shown. Beside a
// sanitizer fewer plans are tried, and some properties need others.
inline void check_holds(const Proof& proof, Property property, std::uint64_t examined_min) {
  const auto& findings = proof.findings;
  CAPTURE(findings.first(property));
  CHECK(findings.broken(property) == 0);
  if (!kSanitized) CHECK(findings.examined(property) > examined_min);
}

inline void check_counts(const Proof& proof, std::uint64_t histories_min,
                         std::uint64_t states_min) {
  const auto& counts = proof.counts;
  MESSAGE(counts.histories << " histories, " << counts.states << " states, " << counts.steps
                           << " steps");
  if (kSanitized) return;
  CHECK(counts.histories > histories_min);
  CHECK(counts.states > states_min);
}

}  // namespace belay::test
