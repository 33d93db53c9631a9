// What an unfinished transaction waits for.
#pragma once

#include <string>
#include <vector>

#include "belay/reader.h"

namespace belay::tool {

// What the engine would call again: of the operations that the transaction's status wants, those
// that wait for an answer, a handler or a host.
std::vector<BranchRow> waiting_of(const TransactionRow& row,
                                  const std::vector<BranchRow>& branches);
// True: a call of an operation that is not wanted any more may be out, and comes back first.
bool has_call_out(const TransactionRow& row, const std::vector<BranchRow>& branches);
// Why it waits, for a person.
std::string why_it_waits(const BranchRow& branch);

}  // namespace belay::tool
