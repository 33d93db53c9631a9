// The runs, each a function from settings to figures. An error means that it could not be run;
// a result that is wrong is told in Figures::problems.
#pragma once

#include "belay/result.h"
#include "figures.h"
#include "settings.h"
#include "workload.h"

namespace belay::bench {

// A load of the workload's transactions.
Result<Figures> run_load(const Settings& settings, Workload& workload);
// Workload http through `belay serve`.
Result<Figures> run_http_serve(const Settings& settings);
Result<Figures> run_floor(const Settings& settings);
Result<Figures> run_memory(const Settings& settings);
// Forks before anything else is done, so call it while there is one thread.
Result<Figures> run_recovery(const Settings& settings);

// Bytes of heap for each live transaction beside its payload, from two small crowds in a file of
// their own.
Result<double> probe_live_bytes(const Settings& settings, const std::string& path);

}  // namespace belay::bench
