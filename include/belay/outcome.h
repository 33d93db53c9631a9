// A participant's answer to one call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "belay/export.h"

namespace belay {

// The numbers are written to disk: append, never renumber.
enum class OutcomeKind : std::uint8_t {
  success = 0,  // done
  // a business no, final: the transaction turns back (an undo that answers so is asked again)
  failure = 1,
  ongoing = 2,  // not yet; ask again after the fixed `Retry::ongoing_interval`
  unknown = 3,  // no answer, or none that can be read: asked again with back-off, never guessed
};

BELAY_EXPORT std::string_view name_of(OutcomeKind kind) noexcept;

// `reason` reaches the caller's report, the state file and the command line. It is cut at 1,024
// bytes when stored.
class Outcome {
 public:
  static Outcome success() { return Outcome(OutcomeKind::success, {}); }
  static Outcome failure(std::string reason) {
    return Outcome(OutcomeKind::failure, std::move(reason));
  }
  static Outcome ongoing(std::string reason = {}) {
    return Outcome(OutcomeKind::ongoing, std::move(reason));
  }
  static Outcome unknown(std::string reason) {
    return Outcome(OutcomeKind::unknown, std::move(reason));
  }

  OutcomeKind kind() const noexcept { return kind_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  Outcome(OutcomeKind kind, std::string reason) : reason_(std::move(reason)), kind_(kind) {}

  std::string reason_;
  OutcomeKind kind_;
};

}  // namespace belay
