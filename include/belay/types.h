// The words shared by every part: modes, statuses, operations, times.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/export.h"

namespace belay {

using Millis = std::chrono::milliseconds;
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

// The numbers of the three enums are written to disk: append, never renumber.
enum class Mode : std::uint8_t { saga = 0, tcc = 1, xa = 2, msg = 3, workflow = 4 };

enum class Status : std::uint8_t {
  prepared = 0,  // known, waiting for its caller's word
  submitted =
      1,  // saga, msg: going forward. tcc, xa: decided to confirm or commit, never taken back
  aborting = 2,  // going back: decided, and never taken back
  succeed = 3,   // every branch did its share
  failed = 4,    // every branch that may have run was undone
};

enum class Op : std::uint8_t {
  action = 0,      // saga, msg
  compensate = 1,  // saga: takes an action back
  try_ = 2,        // tcc: reserves
  confirm = 3,     // tcc: uses what was reserved
  cancel = 4,      // tcc: gives it back
  prepare = 5,     // xa: does the work, up to the point of committing it
  commit = 6,      // xa
  rollback = 7,    // xa
  query = 8,       // msg: did the caller's own transaction commit?
};

constexpr bool is_final(Status status) noexcept {
  return status == Status::succeed || status == Status::failed;
}

// The words of the protocol and of the tools: "saga", "submitted", "compensate".
BELAY_EXPORT std::string_view name_of(Mode mode) noexcept;
BELAY_EXPORT std::string_view name_of(Status status) noexcept;
BELAY_EXPORT std::string_view name_of(Op op) noexcept;
BELAY_EXPORT std::optional<Mode> mode_from(std::string_view name) noexcept;
BELAY_EXPORT std::optional<Status> status_from(std::string_view name) noexcept;
BELAY_EXPORT std::optional<Op> op_from(std::string_view name) noexcept;

// A name or value is any bytes; a name is compared exactly.
struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

}  // namespace belay
