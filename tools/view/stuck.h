// Which stuck transactions an operator means: those that the filters let through, and of these the
// branches that wait for one handler or host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "belay/reader.h"

namespace belay::tool {

struct StuckChoice {
  Filter filter;
  std::string host;
  bool is_all() const;  // nothing was left out
};

// Called with a stuck transaction, of whose branches only the chosen ones are left, one at least.
// False: no more are wanted.
using OnStuck = std::function<bool(WholeTransaction&& found)>;
// `Reader::list_whole`, or what stands for it.
using ListWhole = std::function<Result<WholePage>(const Filter& filter)>;
// Newest first. `wanted`: so many are probably needed; 0: all. Errors: those of `list_whole`.
Result<> for_each_stuck(const ListWhole& list_whole, const StuckChoice& choice,
                        std::uint64_t wanted, const OnStuck& on_stuck);

}  // namespace belay::tool
