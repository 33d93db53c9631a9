// A participant's answer to one call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "belay/export.h"
#include "belay/types.h"

namespace belay {

// The numbers are written to disk: append, never renumber.
enum class OutcomeKind : std::uint8_t {
  success = 0,  // the operation is done
  // A final refusal: the transaction turns back. (An undo operation that answers failure is called
  // again.)
  failure = 1,
  // The operation has not ended yet; the call is repeated after the fixed
  // `Retry::ongoing_interval`.
  ongoing = 2,
  // No answer, or an answer that cannot be read. The call is repeated with back-off; the outcome is
  // never guessed.
  unknown = 3,
};

BELAY_EXPORT std::string_view name_of(OutcomeKind kind) noexcept;

// `reason` appears in the caller's report, in the state file and in the output of the command line.
// At most 1,024 bytes of it are stored.
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

  // Asks for a pause: if the call is made again, it is made no earlier than this time after the
  // answer. `Retry` decides how far that goes: never sooner than its own interval, and no later
  // than its interval_max. At a restart the pause goes on. Without such a request, or with 0 or
  // less, the interval is that of `Retry` alone.
  Outcome& retry_after(Millis pause) & {
    retry_after_ = pause;
    return *this;
  }
  Outcome retry_after(Millis pause) && { return std::move(retry_after(pause)); }

  OutcomeKind kind() const noexcept { return kind_; }
  const std::string& reason() const noexcept { return reason_; }
  Millis retry_after() const noexcept { return retry_after_; }

 private:
  Outcome(OutcomeKind kind, std::string reason) : reason_(std::move(reason)), kind_(kind) {}

  std::string reason_;
  Millis retry_after_{0};
  OutcomeKind kind_;
};

}  // namespace belay
