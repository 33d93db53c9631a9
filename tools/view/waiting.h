// What an unfinished transaction waits for, and what many such waits have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "belay/reader.h"

namespace belay::tool {

// The current operation of each branch that waits for an answer, a handler or a host.
std::vector<BranchRow> waiting_of(const std::vector<BranchRow>& branches);
// Why it waits, for a person.
std::string why_it_waits(const BranchRow& branch);
// The host of a URL as `belay stats` names it: "http://stock.example:8080". Of a handler's name the
// empty text.
std::string host_of(std::string_view target);
// The error with "…" in place of ids, long numbers and milliseconds, so that one error about many
// things is one text. Short numbers stay, since they are often statuses.
std::string cause_of(std::string_view error);

}  // namespace belay::tool
