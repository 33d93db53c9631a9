// The results of a load that is a process of its own, as a line of JSON.
#pragma once

#include <string>
#include <string_view>

#include "belay/result.h"
#include "served_loop.h"

namespace belay::bench {

std::string to_json(const ServedResults& results);
std::string problem_json(std::string_view problem);
// Error: storage, with the problem, or if it is not such a line.
Result<ServedResults> served_results(std::string_view line);

}  // namespace belay::bench
