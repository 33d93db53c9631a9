// The runs, each a function from settings to results. An error means that the run could not be
// made; a wrong result is reported in Figures::problems.
#pragma once

#include "belay/result.h"
#include "figures.h"
#include "settings.h"
#include "workload.h"

namespace belay::bench {

// Runs a load of the workload's transactions.
Result<Figures> run_load(const Settings& settings, Workload& workload);
// Run the workload through a server.
Result<Figures> run_http_served(const Settings& settings);
Result<Figures> run_grpc_served(const Settings& settings);
Result<Figures> run_floor(const Settings& settings);
Result<Figures> run_memory(const Settings& settings);
// Forks before anything else, so it must be called while the program has only one thread.
Result<Figures> run_recovery(const Settings& settings);

// The bytes of heap for each live transaction in addition to its payload, measured with two small
// crowds in a file of their own.
Result<double> probe_live_bytes(const Settings& settings, const std::string& path);

}  // namespace belay::bench
