// The operations of each mode, and in which status each may run. A branch has two phases: in the
// first phase it acts, tries or prepares; in the second phase it is confirmed or undone, never
// both.
#pragma once

#include <array>

#include "belay/types.h"

namespace belay::core {

enum class Phase : std::uint8_t { first, second };

constexpr Phase phase_of(Op op) noexcept {
  switch (op) {
    case Op::action:
    case Op::try_:
    case Op::prepare:
    case Op::query: return Phase::first;
    case Op::compensate:
    case Op::confirm:
    case Op::cancel:
    case Op::commit:
    case Op::rollback: break;
  }
  return Phase::second;
}

struct ModeOps {
  Op first;
  Status first_in;  // the status in which the first phase runs
  bool commits;     // has a second phase that confirms, run in `submitted`
  Op commit;
  bool rolls_back;  // has a second phase that undoes, run in `aborting`
  Op rollback;
};

inline constexpr std::array<ModeOps, 5> kModeOps = {{
    {Op::action, Status::submitted, false, Op::action, true, Op::compensate},  // saga
    {Op::try_, Status::prepared, true, Op::confirm, true, Op::cancel},         // tcc
    {Op::prepare, Status::prepared, true, Op::commit, true, Op::rollback},     // xa
    {Op::action, Status::submitted, false, Op::action, false, Op::action},     // msg
    {Op::query, Status::prepared, false, Op::query, false, Op::query},         // workflow
}};

constexpr const ModeOps& ops_of(Mode mode) noexcept {
  return kModeOps[static_cast<std::size_t>(mode)];
}

// A refusal can end only the first phase: an undo, a confirmation, a delivery or a workflow's
// callback is called again.
constexpr bool takes_no(Mode mode, Op op) noexcept {
  return phase_of(op) == Phase::first && mode != Mode::workflow &&
         !(mode == Mode::msg && op == Op::action);
}

}  // namespace belay::core
