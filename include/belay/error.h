// Failures are values: a number on which a program can switch, and a sentence on which a person can
// act. There are three kinds, which are kept apart: a bug stops the process, a failure is an
// `Error`, a participant's answer is an `Outcome`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/export.h"

// The numbers are printed by tools and sent over the network: append, never renumber.
#define BELAY_ERROR_CODES(X)                                                               \
  X(invalid_argument, 1, "the request itself is malformed; sending it again cannot help")  \
  X(conflict, 2, "taken: the gid by another definition, the branch_id by another branch")  \
  X(storage, 3, "the state file refused or failed; nothing was done")                      \
  X(busy, 4, "too many submits are queued; try again later")                               \
  X(not_found, 5, "no transaction with this gid is known")                                 \
  X(locked, 6, "another engine holds the state file")                                      \
  X(corrupt, 7, "the state file holds what no engine wrote")                               \
  X(unsupported, 8, "a newer version wrote the file, or this build lacks what was asked")  \
  X(closed, 9, "the engine is closed or closing")                                          \
  X(misuse, 10, "the call is not allowed here, such as waiting on the loop itself")        \
  X(timed_out, 11, "the wait ended before the transaction did; the transaction goes on")   \
  X(commit_unknown, 12, "the engine closed before the disk said whether it took this")     \
  X(gid_limit, 13, "the gid is empty, too long or has a forbidden character")              \
  X(payload_limit, 14, "a payload is larger than Limits::payload_bytes_max")               \
  X(branches_limit, 15, "there are more branches than Limits::branches_max")               \
  X(live_limit, 16, "Limits::live_transactions_max unfinished transactions exist already") \
  X(definition_limit, 17, "the definition is larger than Limits::definition_bytes_max")    \
  X(forbidden, 18, "the transaction's state does not allow this any more, or not yet")     \
  X(topics_limit, 19, "Limits::subscriptions_max or subscription_bytes_max is reached")    \
  X(forbidden_target, 20, "HookOptions does not allow this URL to be called")              \
  X(superseded, 21, "another engine writes to the state file; this one has ended")         \
  X(misplaced, 22, "the state file or its lock file lies where it cannot be held safely")  \
  X(live_bytes_limit, 23, "what is unfinished takes Limits::live_bytes_max in memory")     \
  X(queued_bytes_limit, 24, "Limits::queued_bytes_max are queued; try again later")        \
  X(no_space, 25, "the disk has no room for what must be written; nothing was done")       \
  X(resources, 26, "the system has no descriptor, thread or memory left for this")         \
  X(no_subscriber, 27, "nobody is subscribed to the topic that the message is for")

namespace belay {

enum class ErrorCode : std::uint8_t {
#define BELAY_X(name, value, text) name = value,
  BELAY_ERROR_CODES(BELAY_X)
#undef BELAY_X
};

// The code's name ("busy"). Never null; "error" for a number that this version does not know.
BELAY_EXPORT std::string_view name_of(ErrorCode code) noexcept;
BELAY_EXPORT std::optional<ErrorCode> error_code_from(std::string_view name) noexcept;
// The code's meaning in one sentence.
BELAY_EXPORT std::string_view meaning_of(ErrorCode code) noexcept;

// `detail` names the object and the number ("payload of step 2 has 2097152 bytes, the limit is
// 1048576").
struct Error {
  ErrorCode code{};
  std::string detail;
};

}  // namespace belay
