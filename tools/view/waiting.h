// What an unfinished transaction waits for.
#pragma once

#include <string>
#include <vector>

#include "belay/reader.h"

namespace belay::tool {

// The current operation of each branch that waits for an answer, a handler or a host.
std::vector<BranchRow> waiting_of(const std::vector<BranchRow>& branches);
// Why it waits, for a person.
std::string why_it_waits(const BranchRow& branch);

}  // namespace belay::tool
