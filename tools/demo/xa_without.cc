// Mode xa in a build without one of the databases' clients: refused.
#include "demo/xa_banks.h"

namespace belay::demo {

Result<std::unique_ptr<XaServers>> XaServers::start(const RunSettings&) {
  return Error{ErrorCode::unsupported,
               "this belay was built without PostgreSQL's or MariaDB's client: no mode xa"};
}

Result<std::unique_ptr<Banks>> open_xa_banks(const RunSettings&) {
  return Error{ErrorCode::unsupported, "no mode xa"};
}

}  // namespace belay::demo
