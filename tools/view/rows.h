// The reader's rows as JSON; the keys are the columns of the state file's views, and `obstacle`.
// The commands print these objects, and the server's API answers with them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "belay/reader.h"
#include "belay/resolver.h"

namespace belay::tool {

using Json = nlohmann::ordered_json;

// The rows of one page. Each page folds the log again, so pages are large.
inline constexpr std::uint32_t kPageRows = 10'000;
inline constexpr std::uint32_t kWholeRows = 1'000;  // rows with all the data of each transaction

// Times are milliseconds since the epoch; absent values are null.
Json json_of(const TransactionRow& row);
Json json_of(const BranchRow& row);
Json json_of(const TimelineRow& row);
Json json_of(const ProgressRow& row);
// The transaction's row with `branches`, `timeline` and `progress` as arrays.
Json json_of(const WholeTransaction& whole);
Json json_of(const HostFigures& host);
Json json_of(const NameFigures& name);
Json json_of(const Hold& hold);
// The topic's name and its subscriptions.
Json json_of(const Topic& topic);
// One object a subscription; one for a topic without subscribers.
std::vector<Json> json_rows_of(const Topic& topic);

}  // namespace belay::tool
