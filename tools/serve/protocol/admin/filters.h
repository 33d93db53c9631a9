// The parameters of a query that choose transactions.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "belay/reader.h"
#include "serve/protocol/admin/query.h"

namespace belay::protocol::admin {

// Of one page.
inline constexpr std::int64_t kRowsDefault = 50;
inline constexpr std::int64_t kRowsMax = 500;

// The names of the parameters that `read_filter` reads, and these others.
std::vector<std::string_view> with_filters(std::initializer_list<std::string_view> others);
// What is wrong is in the query.
Filter read_filter(Query& query);

}  // namespace belay::protocol::admin
