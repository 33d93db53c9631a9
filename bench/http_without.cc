// The workload `http` in a build without libcurl: it cannot run.
#include "not_built.h"
#include "workloads.h"

namespace belay::bench {
namespace {

constexpr const char* kHttpNeeds = "libcurl (Debian: libcurl4-openssl-dev)";

}  // namespace

std::unique_ptr<Workload> make_http(const Settings&) {
  return std::make_unique<NotBuilt>("http", kHttpNeeds);
}

Result<Figures> run_http_served(const Settings&) { return NotBuilt("http", kHttpNeeds).error(); }

}  // namespace belay::bench
