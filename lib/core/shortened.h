// An outcome whose reason is cut to the length that is stored.
#pragma once

#include <utility>

#include "belay/outcome.h"
#include "core/record.h"

namespace belay::core {

inline Outcome shortened(Outcome outcome) {
  if (outcome.reason().size() <= kReasonBytesMax) return outcome;
  const auto pause = outcome.retry_after();
  auto reason = outcome.reason().substr(0, kReasonBytesMax);
  switch (outcome.kind()) {
    case OutcomeKind::success: break;
    case OutcomeKind::failure: return Outcome::failure(std::move(reason)).retry_after(pause);
    case OutcomeKind::ongoing: return Outcome::ongoing(std::move(reason)).retry_after(pause);
    case OutcomeKind::unknown: return Outcome::unknown(std::move(reason)).retry_after(pause);
  }
  return Outcome::success();
}

}  // namespace belay::core
