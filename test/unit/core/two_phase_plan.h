// Small transactions of tcc and xa in a form that tests can compute with.
#pragma once

#include <cstdint>
#include <string>

#include "belay/types.h"
#include "unit/core/world.h"

namespace belay::test {

// Declared, `brought` is all its branches; driven, `added` may come one by one.
struct TwoPhasePlan {
  Mode mode = Mode::tcc;
  bool driven = false;
  bool in_order = false;
  std::uint32_t brought = 0;
  std::uint32_t added = 0;
  // bit i: branch i has no such target
  std::uint32_t empty_first = 0;
  std::uint32_t empty_commit = 0;
  std::uint32_t empty_rollback = 0;
  std::uint32_t retry_limit = 0;
  std::uint64_t timeout = 0;  // ms; 0: the default

  std::uint32_t count_max() const { return brought + added; }
  Op first() const { return mode == Mode::tcc ? Op::try_ : Op::prepare; }
  Op commit() const { return mode == Mode::tcc ? Op::confirm : Op::commit; }
  Op rollback() const { return mode == Mode::tcc ? Op::cancel : Op::rollback; }
  bool is_empty(std::uint32_t branch, Op op) const;
  // "driven tcc in order of 1 and 2 more, no first 2, limit 1, timeout 25".
  std::string describe() const;
};

Scenario scenario_of(const TwoPhasePlan& plan);

}  // namespace belay::test
