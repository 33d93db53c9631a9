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
// Newest first. `wanted`: so many are probably needed; 0: all. Errors: the reader's.
Result<> for_each_stuck(Reader& reader, const StuckChoice& choice, std::uint64_t wanted,
                        const OnStuck& on_stuck);

}  // namespace belay::tool
