// Mode xa in a build without one of the databases' clients: refused.
#include "demo/xa_banks.h"
#include "demo/xa_servers.h"

namespace belay::demo {
namespace {

Error without() {
  return {ErrorCode::unsupported,
          "this belay was built without PostgreSQL's or MariaDB's client: no mode xa"};
}

}  // namespace

Result<std::unique_ptr<XaServers>> XaServers::start(const Settings&) { return without(); }

Result<std::unique_ptr<Banks>> open_xa_banks(const Settings&) { return without(); }

}  // namespace belay::demo
