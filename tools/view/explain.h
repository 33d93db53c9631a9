// Why a transaction does not go on, in words for a person who does not know belay's inside.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "belay/hooks.h"
#include "belay/reader.h"
#include "view/rows.h"

namespace belay::tool {

// One branch that the transaction waits for.
struct Wait {
  BranchRow branch;
  TimePoint since{};                    // when the transaction came so far
  std::vector<TimelineRow> answers;     // the last ones of this operation, oldest first
  std::string host;                     // of a URL, as `belay stats` names it
  std::optional<BreakerState> breaker;  // of the host, as the engine wrote it last
  std::string meaning;                  // one or two sentences
};

struct Explanation {
  std::string summary;  // how far it has come, in sentences
  std::vector<Wait> waits;
  std::vector<std::string> helps;  // what a person can do, the best first
};

Explanation explain(const WholeTransaction& whole, const EngineState& engine, TimePoint at);
// With the transaction's own state, and the engine that has the file open.
Json json_of(const Explanation& explanation, const TransactionRow& row, const EngineState& engine);

}  // namespace belay::tool
