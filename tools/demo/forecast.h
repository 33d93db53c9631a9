// What must become of each transfer, computed from the banks' opening books alone: no engine, no
// database. Most transfers can end in one way only, whatever the order of their calls; for the
// others the order decides.
#pragma once

#include <cstdint>
#include <vector>

#include "demo/results.h"
#include "demo/transfers.h"

namespace belay::demo {

// A transfer's verdict, or `unfinished` where the order of the calls decides.
using Forecast = std::vector<Verdict>;

// For banks that have performed no other transfers.
Forecast forecast(const std::vector<Transfer>& transfers, std::int64_t accounts,
                  Mode mode = Mode::saga);

// How many of the results are not as forecast. A message that was given up is none: when its payer
// was killed before the debit, time decided.
std::size_t surprises(const Forecast& forecast, const Results& results);
// How many transfers the forecast leaves open.
std::size_t open_in(const Forecast& forecast);

}  // namespace belay::demo
