// The types that every part uses: modes, statuses, operations, times.
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
  // The engine knows the transaction and waits for its caller to submit or abort.
  prepared = 0,
  // Saga, msg: going forward. Tcc, xa: the decision to confirm or commit, which is never reversed.
  submitted = 1,
  // Going back. This decision is never reversed.
  aborting = 2,
  // Every branch succeeded.
  succeed = 3,
  // Every branch that may have run was undone.
  failed = 4,
};

enum class Op : std::uint8_t {
  action = 0,      // saga, msg
  compensate = 1,  // saga: takes an action back
  try_ = 2,        // tcc: reserves
  confirm = 3,     // tcc: uses the reservation
  cancel = 4,      // tcc: releases the reservation
  prepare = 5,     // xa: does the work, but does not commit it
  commit = 6,      // xa
  rollback = 7,    // xa
  query = 8,       // msg: asks whether the caller's own transaction was committed
};

constexpr bool is_final(Status status) noexcept {
  return status == Status::succeed || status == Status::failed;
}

// The names in the protocol and the tools: "saga", "submitted", "compensate".
BELAY_EXPORT std::string_view name_of(Mode mode) noexcept;
BELAY_EXPORT std::string_view name_of(Status status) noexcept;
BELAY_EXPORT std::string_view name_of(Op op) noexcept;
BELAY_EXPORT std::optional<Mode> mode_from(std::string_view name) noexcept;
BELAY_EXPORT std::optional<Status> status_from(std::string_view name) noexcept;
BELAY_EXPORT std::optional<Op> op_from(std::string_view name) noexcept;

// Name and value may hold any bytes; names are compared exactly.
struct Header {
  std::string name;
  std::string value;
  bool operator==(const Header&) const = default;
};

}  // namespace belay
