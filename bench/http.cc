// Workload `http`: sagas whose branches are URLs of a service in another process.
#include "http.h"

#include "child.h"
#include "http_floor.h"
#include "workload.h"

namespace belay::bench {

BranchService http_service() { return {{own_path(), kServiceCommand}, "http://127.0.0.1:", ""}; }

std::unique_ptr<Workload> make_http(const Settings& settings) {
  return make_called({"http", http_service(), &measure_http_floor}, settings);
}

}  // namespace belay::bench
