// What the reader gives, as JSON: keys as the columns of the state file's views.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "belay/reader.h"

namespace belay::tool {

using Json = nlohmann::ordered_json;

// Asked of the reader at once: each page looks at the log anew, so rather a few.
inline constexpr std::uint32_t kPageRows = 10'000;
inline constexpr std::uint32_t kWholeRows = 1'000;  // with all of each

// Times are milliseconds since the epoch; what is absent is null.
Json json_of(const TransactionRow& row);
Json json_of(const BranchRow& row);
Json json_of(const TimelineRow& row);
Json json_of(const ProgressRow& row);
Json json_of(const Subscription& subscription);

}  // namespace belay::tool
