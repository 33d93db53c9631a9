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
// The next page of such transactions, before `choice.filter.before_id`.
using ListStuck = std::function<Result<WholePage>(const StuckChoice& choice)>;
// Such a page of a file. Errors: the reader's.
Result<WholePage> stuck_page(Reader& reader, const StuckChoice& choice);

// Newest first. `wanted`: so many are probably needed; 0: all. Errors: those of `list`.
Result<> for_each_stuck(const ListStuck& list, const StuckChoice& choice, std::uint64_t wanted,
                        const OnStuck& on_stuck);

}  // namespace belay::tool
