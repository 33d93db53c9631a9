// Workload `http`: sagas whose branches are URLs of a service in another process.
#include "called.h"
#include "child.h"
#include "http_floor.h"
#include "http_load.h"
#include "machine.h"
#include "served_run.h"
#include "workloads.h"

namespace belay::bench {
namespace {

BranchService http_service() { return {{own_path(), kServiceCommand}, "http://127.0.0.1:", ""}; }

Result<ServedResults> load_http(const Settings& settings, const ServedTarget& server,
                                const Branches& branches) {
  return load_by_http(settings, server.port, branches,
                      [pid = server.pid] { return cpu_seconds_of(pid); });
}

}  // namespace

std::unique_ptr<Workload> make_http(const Settings& settings) {
  return make_called({"http", http_service(), &measure_http_floor}, settings);
}

Result<Figures> run_http_served(const Settings& settings) {
  return run_served(settings,
                    {"http", http_service(), {}, "http", &load_http, &measure_http_floor});
}

}  // namespace belay::bench
