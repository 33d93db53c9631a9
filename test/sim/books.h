// What the banks do with a call, whatever its transaction's mode.
#pragma once

#include <cstdint>
#include <string>

#include "belay/call.h"

namespace belay::sim {

class Books {
 public:
  virtual ~Books() = default;

  // A call goes out. All rules about order are checked here. Returns its number among its branch's
  // calls.
  virtual std::uint64_t on_call(const Call& call) = 0;
  // The engine is given a call's outcome.
  virtual void on_answer(const std::string& gid, std::uint32_t branch, std::uint64_t number,
                         OutcomeKind outcome) = 0;
  // A request reaches its bank, perhaps late, perhaps twice: the barrier's work.
  virtual Outcome execute(const std::string& gid, std::uint32_t branch, Op op) = 0;
};

}  // namespace belay::sim
